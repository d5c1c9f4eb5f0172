# Sorting and counting half a million numbers.
import random

random.seed(1)
numbers = [random.randrange(10**6) for _ in range(300_000)]
numbers.sort()
print(numbers[0], numbers[-1], sum(numbers), len(set(numbers)))
