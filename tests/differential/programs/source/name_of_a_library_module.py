# A script that is called json.py and imports json: it finds itself.
# name: json.py
print("run as", __name__)
import json

if __name__ == "__main__":
    print(json.__file__, hasattr(json, "dumps"))
