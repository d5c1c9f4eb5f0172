# A SyntaxError in a module of the script's.
# files: broken.py "x = 1\ndef f(:\n    pass\n"
print("before")
import broken
