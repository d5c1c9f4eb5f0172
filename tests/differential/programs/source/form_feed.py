# Form feeds between the parts of a source.
print(1)

print(2)
print(3)
if True:
    print(4)
