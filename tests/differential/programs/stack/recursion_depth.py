# The deepest recursion that works.
# also: warm
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def works(n):
    try:
        return depth(n) == n
    except RecursionError:
        return False


low, high = 1, 2000
while high - low > 1:
    middle = (low + high) // 2
    low, high = (middle, high) if works(middle) else (low, middle)
print(low)
