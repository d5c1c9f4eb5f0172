# sys.monitoring: lines and calls of a function.
# python: >=3.12
import sys


def work():
    x = len("abc")
    return x


lines = []
monitoring = sys.monitoring
print([monitoring.get_tool(n) for n in range(6)])
monitoring.use_tool_id(monitoring.PROFILER_ID, "mine")
monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.LINE, lambda code, line: lines.append((code.co_name, line - code.co_firstlineno)))
monitoring.set_local_events(monitoring.PROFILER_ID, work.__code__, monitoring.events.LINE)
work()
print(lines)
