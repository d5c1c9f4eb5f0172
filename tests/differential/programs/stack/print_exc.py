# traceback.print_exc() in an except block, the script goes on.
import traceback

for number in (1, 0):
    try:
        print(10 // number)
    except ZeroDivisionError:
        traceback.print_exc()
print("goes on")
