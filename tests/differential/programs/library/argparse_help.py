# argparse's --help.
# args: --help
import argparse

parser = argparse.ArgumentParser(description="A program.", epilog="The end.")
parser.add_argument("file", nargs="*", help="files")
group = parser.add_mutually_exclusive_group()
group.add_argument("-v", "--verbose", action="store_true")
group.add_argument("-q", "--quiet", action="count")
parser.add_subparsers(dest="command").add_parser("run", help="runs")
parser.parse_args()
