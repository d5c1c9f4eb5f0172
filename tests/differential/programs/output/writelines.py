# sys.stdout.writelines and the numbers that write returns.
import sys

sys.stdout.writelines(f"{n}\n" for n in range(3))
print(sys.stdout.write("four"), sys.stdout.buffer.write(b""))
