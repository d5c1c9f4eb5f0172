"""Whether jobs run at the same time."""

SLEEP = "import time\nbegan = time.monotonic()\ntime.sleep(0.1)\nprint(began, time.monotonic())"


def most_at_once(answers):
    """From what the jobs of SLEEP printed: how many ran at the same time, at most."""
    events = []
    for answer in answers:
        began, ended = map(float, answer.json["output"].split())
        events += [(began, 1), (ended, -1)]
    running = most = 0
    for _, change in sorted(events):
        running += change
        most = max(most, running)
    return most
