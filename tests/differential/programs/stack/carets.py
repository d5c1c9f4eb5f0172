# The carets under the part of a line that failed.
data = {"a": {"b": None}}
value = data["a"]["b"]["c"] + data["x"]
