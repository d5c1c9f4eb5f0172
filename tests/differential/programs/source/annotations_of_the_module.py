# __annotations__ of the module.
x: int = 1
y: "str"
print(__annotations__)
