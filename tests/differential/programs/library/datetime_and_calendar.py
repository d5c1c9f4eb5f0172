# datetime, calendar, zoneinfo, time formats.
import calendar
import datetime
import time
import zoneinfo

moment = datetime.datetime(2024, 2, 29, 13, 37, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
print(moment, moment.astimezone(datetime.timezone.utc), moment + datetime.timedelta(days=365), moment.strftime("%A %d %B %j %Z"))
print(datetime.date.fromisoformat("2024-12-31").isocalendar(), datetime.datetime.strptime("1/2/99", "%d/%m/%y"))
print(calendar.month(2024, 2), time.strftime("%c", time.gmtime(0)), time.tzname, time.localtime(0).tm_hour)
