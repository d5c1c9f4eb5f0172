# No newline at the end of the source.
print("the last line")