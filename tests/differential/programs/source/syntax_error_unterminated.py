# A string that is never closed.
print("before")
text = 'unterminated
print(text)
