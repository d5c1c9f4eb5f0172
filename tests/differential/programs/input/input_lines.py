# input() until EOFError, with prompts.
# stdin: "one\ntwo\nlast"
lines = []
while True:
    try:
        lines.append(input("? "))
    except EOFError as error:
        print(lines, repr(error))
        break
