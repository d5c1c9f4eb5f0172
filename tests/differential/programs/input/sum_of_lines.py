# sum(map(int, input().split())), as half of all judges' tasks begin.
# stdin: "3\n1 2 3\n"
# also: warm
n = int(input())
numbers = list(map(int, input().split()))
print(n, sum(numbers))
