# sys.argv with spaces, quotes, empty ones, options and non-ASCII.
# args: a 'two words' '' --help -c 'ü "quoted"' '$HOME' '*'
import sys

print(sys.argv)
