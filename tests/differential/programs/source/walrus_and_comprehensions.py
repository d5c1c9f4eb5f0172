# Assignment expressions, comprehensions, unpacking, chained comparisons.
print([y for x in range(5) if (y := x * x) % 2 == 0], y)
first, *middle, last = "abcde"
print(first, middle, last, 1 < 2 < 3 != 4, {**{"a": 1}, "b": 2}, [*range(3), *"xy"])
print({x: y for x, y in zip("ab", (1, 2))}, {n % 3 for n in range(10)}, sum(n for n in range(10)))
