# Emoji in strings, in comments, and one where it is an error. 😀
print("😀", len("😀"), "👩‍👩‍👧"[0] == "👩")
s = {"é": "é"}
print(s)
x = 😀
