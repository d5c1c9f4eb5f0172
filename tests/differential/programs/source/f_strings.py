# f-strings: formats, nesting, =, !r, lines.
name, value, width = "é", 3.14159, 10
print(f"{name!r:>{width}}|{value:{width}.2f}|{value=:.1f}|{{}}|{'nested ' + f'{name}'}|{width:#x}")
print(f"""{
    value
    + 1
:.3f}""")
