# return outside of a function: an error of the compiler and not of the parser.
print("before")
return 5
