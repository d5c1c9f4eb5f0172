# The type statement and type parameters.
# python: >=3.12
type Pair[T] = tuple[T, T]


def first[T](pair: Pair[T]) -> T:
    return pair[0]


print(first((1, 2)), Pair, first.__type_params__)
