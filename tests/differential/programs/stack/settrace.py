# sys.settrace: the events and lines of a function.
import sys


def trace(frame, event, argument):
    if frame.f_code.co_name == "traced":
        print(event, frame.f_lineno - frame.f_code.co_firstlineno)
    return trace


def traced(n):
    total = 0
    for i in range(n):
        total += i
    return total


print(sys.gettrace())
sys.settrace(trace)
traced(2)
sys.settrace(None)
print(sys.gettrace(), sys.getprofile())
