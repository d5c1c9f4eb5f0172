# shelve in the working directory.
import shelve

with shelve.open("shelf") as shelf:
    shelf["key"] = {"list": [1, 2, 3]}
with shelve.open("shelf") as shelf:
    print(dict(shelf))
