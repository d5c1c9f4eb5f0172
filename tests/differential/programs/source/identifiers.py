# Identifiers that are not ASCII, and their normal form.
größe = 3
变量 = "value"
ﬁ = 1
print(größe, 变量, fi, "ﬁ" in globals(), sorted(name for name in globals() if not name.startswith("_")))
