# NUL, escape sequences, form feed, carriage return and DEL on standard output.
import sys

sys.stdout.write("a\0b \x1b[31mred\x1b[0m \x0c \r\n \x7f \x85 \u2028|\n")
