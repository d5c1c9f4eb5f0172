# tracemalloc: whether it traces, and what it has of a list.
import tracemalloc

print(tracemalloc.is_tracing())
tracemalloc.start()
kept = [bytes(1000) for _ in range(100)]
statistics = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__), tracemalloc.Filter(True, "*main.py")])
print(any(each.count >= 100 and each.size > 100_000 for each in statistics.statistics("lineno")))
