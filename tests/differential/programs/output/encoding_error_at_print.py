# A lone surrogate cannot be printed: what was printed before is shown, and a traceback.
print("before")
print("\udc80")
