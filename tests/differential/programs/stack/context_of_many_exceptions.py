# A chain of five exceptions with causes and contexts.
def fail(n):
    try:
        if n == 0:
            raise KeyError("the first")
        fail(n - 1)
    except Exception as error:
        if n % 2:
            raise ValueError(n) from error
        raise RuntimeError(n)


fail(4)
