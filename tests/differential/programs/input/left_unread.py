# Standard input that is never read.
# stdin: "nobody reads this\n"
print("done")
