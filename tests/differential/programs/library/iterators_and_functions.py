# itertools and functools.
import functools
import itertools
import operator

print(list(itertools.permutations("abc", 2)), list(itertools.accumulate([1, 2, 3], operator.mul)))
print([(k, list(g)) for k, g in itertools.groupby("aabbb")], list(itertools.batched("abcde", 2)) if hasattr(itertools, "batched") else "")
print(functools.reduce(operator.add, range(5)), functools.partial(pow, 2)(10), list(itertools.pairwise("abc")))


@functools.singledispatch
def kind(x):
    return "object"


@kind.register
def _(x: int):
    return "int"


@functools.lru_cache
def f(n):
    return n


f(1), f(1), f(2)
print(kind(1), kind("a"), f.cache_info())
