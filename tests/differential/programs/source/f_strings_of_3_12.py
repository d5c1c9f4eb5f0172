# f-strings with the same quotes within, and with comments.
# python: >=3.12
names = ["a", "b"]
print(f"{", ".join(names)} {f"{f"{1 + 1}"}"} {
    names[0]  # the first
}\n{'\n'.join(names)}")
