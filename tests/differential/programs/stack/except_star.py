# except* splits an ExceptionGroup; the rest is raised again.
try:
    raise ExceptionGroup("both", [ValueError(1), TypeError(2), OSError(3)])
except* ValueError as group:
    print("caught", group.exceptions)
except* TypeError as group:
    print("caught", group.exceptions)
