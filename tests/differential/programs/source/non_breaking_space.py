# A non-breaking space in the source, as copied from a page.
print(1)
x = 1
