# breakpoint() with commands on standard input.
# stdin: "p value\nw\nc\n"
value = 42
breakpoint()
print("continued")
