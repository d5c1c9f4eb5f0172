# input() that asks once more than there are lines, within a function: the traceback.
# stdin: "1\n"
def ask():
    return int(input())


total = ask()
print("total", total)
total += ask()
