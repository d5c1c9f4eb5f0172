# A script that reads its own source, and a quine of it.
with open(__file__, encoding="utf-8") as file:
    text = file.read()
print(text, end="")
