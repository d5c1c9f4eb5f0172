# fileinput.input() with files and "-".
# args: one.txt - two.txt
# files: one.txt "from one\n"
# files: two.txt "from two\n"
# stdin: "from stdin\n"
import fileinput

for line in fileinput.input():
    print(fileinput.filename(), fileinput.filelineno(), line, end="")
