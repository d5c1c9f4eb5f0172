# A progress bar on stderr that writes over its line.
import sys

for percent in range(0, 101, 20):
    sys.stderr.write(f"\r[{'#' * (percent // 10):<10}] {percent}%")
    sys.stderr.flush()
sys.stderr.write("\n")
print("done")
