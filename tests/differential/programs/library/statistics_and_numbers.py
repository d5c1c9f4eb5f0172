# statistics, numbers, cmath, random's distributions with a seed.
import cmath
import statistics

print(statistics.mean([1, 2, 3.5]), statistics.median([3, 1, 2]), statistics.stdev([1, 2, 3, 4]), statistics.mode("aab"))
print(cmath.sqrt(-1), pow(3, -1, 7), divmod(-7, 2), -7 // 2, -7 % 3, 7.5 // 2, (10).bit_length(), int("ff", 16), (255).bit_count())
print(2**100, 10**20 // 3, 5 / 2, 1e308 * 10, complex("1+2j"), bool([]), sum([0.1] * 3), min("b", "a"), 0.1 + 0.2 == 0.3)
statistics.mean([])
