import sys

numbers = [float(line) for line in sys.stdin]
print(len(numbers), "numbers")
print("Sum", sum(numbers))
print("Mean", sum(numbers) / len(numbers))
