# TZ for the local time.
# env: TZ=America/New_York
import time

print(time.tzname, time.strftime("%H:%M", time.localtime(0)))
