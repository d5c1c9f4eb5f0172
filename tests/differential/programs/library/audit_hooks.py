# sys.addaudithook sees what the script does from then on, and nothing of the end.
import sys

events = []


def hook(event, args):
    if not events or events[-1] != event:
        events.append(event)


sys.addaudithook(hook)
open("x", "w").close()
compile("1", "x", "eval")
print(events[:2])
