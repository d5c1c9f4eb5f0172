# traceback.TracebackException, StackSummary and walk_tb.
import traceback


def fail():
    value = 42
    raise LookupError("not here")


try:
    fail()
except LookupError as error:
    for line in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
        print(line.name, line.line, sorted(line.locals or {})[-1:])
    print(traceback.format_exception_only(error), len(list(traceback.walk_tb(error.__traceback__))))
