# Line ends of all kinds, and a traceback.
print("one")print("two")
raise ValueError
