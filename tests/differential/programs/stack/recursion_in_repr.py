# RecursionError in repr(), in comparisons and in json.
import json


class Strange:
    def __repr__(self):
        return f"<{self!r}>"

    def __eq__(self, other):
        return self == other


strange = Strange()
for what in (repr, lambda x: x == x, lambda x: json.dumps(x, default=lambda y: [y])):
    try:
        what(strange)
    except (RecursionError, ValueError) as error:
        print(type(error).__name__, str(error)[:30])
nested = []
for _ in range(100000):
    nested = [nested]
try:
    repr(nested)
except RecursionError as error:
    print(error)
