# More than a pipe holds, and the script reads the first line alone.
# stdin: "first\n" + "x" * 300_000
print(input())
