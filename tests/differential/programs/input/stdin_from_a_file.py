# sys.stdin = open(file), as competitors have it.
# files: input.txt "5\n1 2 3 4 5\n"
import sys

sys.stdin = open("input.txt")
print(input(), sum(map(int, input().split())))
