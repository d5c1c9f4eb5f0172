# csv and json files, written and read.
import csv
import io
import json

with open("rows.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, ["name", "value"])
    writer.writeheader()
    writer.writerows([{"name": 'quo"te', "value": "a,b"}, {"name": "é\n", "value": 1}])
print(repr(open("rows.csv", newline="").read()), list(csv.DictReader(open("rows.csv", newline=""))))
print(json.dumps({"b": [1, 2.0, None, True], "a": "é\u2028", "nan": float("nan")}, sort_keys=True, indent=2))
print(json.loads('{"a": 1e400, "b": "\\u00e9"}'))
try:
    json.loads('{"a": }')
except json.JSONDecodeError as error:
    print(error)
json.dump({1: {2, 3}}, io.StringIO())
