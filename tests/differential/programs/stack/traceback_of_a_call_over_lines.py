# The traceback of a call that stands on several lines.
def add(a, b):
    return a + b


print(
    add(
        1,
        "2",
    )
)
