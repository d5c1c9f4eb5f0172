# argparse: a wrong usage is exit status 2 and a message with the script's name.
# args: --count x file
import argparse

parser = argparse.ArgumentParser(description="A program.")
parser.add_argument("file")
parser.add_argument("--count", type=int, default=1, help="how many (default: %(default)s)")
print(parser.parse_args(["name"]))
parser.parse_args()
