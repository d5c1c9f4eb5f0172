import sys

numbers = [float(line) for line in sys.stdin if line.strip()]
print(f"{len(numbers)} numbers, sum {sum(numbers):g}, mean {sum(numbers) / len(numbers):g}")
