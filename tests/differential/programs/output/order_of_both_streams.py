# stdout and stderr in the order in which they were written.
# merge: yes
# lines: yes
import sys

print("1 out")
print("2 err", file=sys.stderr)
print("3 out")
sys.stderr.write("4 err\n")
raise SystemExit("5 err")
