# input() with empty standard input: EOFError with a traceback.
name = input("Your name: ")
print("Hello", name)
