# "The above exception was the direct cause".
try:
    {}["key"]
except KeyError as error:
    raise ValueError("no such key") from error
