# open("/dev/stdin").
# stdin: "by path\n"
with open("/dev/stdin") as file:
    print(repr(file.read()))
