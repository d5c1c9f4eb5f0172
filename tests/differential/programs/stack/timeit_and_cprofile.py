# cProfile's table of calls, as far as it is the same each time.
import cProfile
import io
import pstats


def work():
    return sum(n * n for n in range(10))


profile = cProfile.Profile()
profile.runcall(work)
out = io.StringIO()
stats = pstats.Stats(profile, stream=out)
print(sorted((key[2], value[0]) for key, value in stats.stats.items()))
