# json.loads and csv.reader of standard input.
# stdin: "{\"a\": [1, 2.5, null, \"ü\"]}\nx,\"y, z\"\n"
import csv
import json
import sys

print(json.loads(sys.stdin.readline()))
print(list(csv.reader(sys.stdin)))
