# f(998) at the top level, which fits into python's 1000.
def f(n):
    if n > 0:
        f(n - 1)


f(998)
print("fits")
