# Characters of all planes on standard input.
# stdin: "żółć 日本 😀\n"
text = input("→ ")
print(len(text), text[::-1])
