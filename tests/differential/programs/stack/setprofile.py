# sys.setprofile: calls of Python's and C's functions.
import sys

events = []


def profile(frame, event, argument):
    events.append((event, frame.f_code.co_name, getattr(argument, "__name__", None) if "c_" in event else None))


def work():
    return len("abc")


sys.setprofile(profile)
work()
sys.setprofile(None)
print(events)
