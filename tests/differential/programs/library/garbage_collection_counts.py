# How often the collector runs while a script makes objects.
import gc

runs = []
gc.callbacks.append(lambda phase, info: runs.append(info["generation"]) if phase == "start" else None)
kept = [[] for _ in range(20_000)]
del gc.callbacks[:]
print(len(runs) > 0, gc.get_threshold())
