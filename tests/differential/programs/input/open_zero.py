# open(0).read(), the shortest way.
# stdin: "golf 1 2\n"
print(open(0).read().split())
