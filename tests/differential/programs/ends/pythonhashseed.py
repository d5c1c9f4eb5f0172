# PYTHONHASHSEED=0: the order of a set of strings is the same each time.
# env: PYTHONHASHSEED=0
print({"a", "b", "c", "d"}, hash("text"))
