# print(file=sys.__stdout__) while sys.stdout is something else.
import io
import sys

sys.stdout = io.StringIO()
print("hidden")
print("shown", file=sys.__stdout__)
