# An exception that nothing catches, after output.
# also: warm
def divide(a, b):
    return a / b


print("before")
print(divide(1, 0))
