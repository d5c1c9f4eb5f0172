# sys.settrace and sys.setprofile still on when the script ends: they see no further call.
import sys

seen = []


def trace(frame, event, argument):
    seen.append((event, frame.f_code.co_name))
    return trace


def function():
    return 1


class Last:
    def __del__(self):
        print("traced", len(seen) > 0, seen[0])


last = Last()
sys.settrace(trace)
function()
