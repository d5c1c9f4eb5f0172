# A triple-quoted string that is never closed.
print("before")
text = """never
closed
