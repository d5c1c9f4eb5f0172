# The module trace: lines that ran, counted.
import trace


def work(n):
    total = 0
    for i in range(n):
        total += i
    return total


tracer = trace.Trace(count=True, trace=False)
print(tracer.runfunc(work, 3))
first = work.__code__.co_firstlineno
print(sorted((line - first, count) for (name, line), count in tracer.results().counts.items() if first < line < first + 5))
