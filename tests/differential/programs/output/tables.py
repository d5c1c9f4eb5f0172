# Tables made with ljust, rjust, tabs and box characters.
rows = [("Name", "Größe"), ("ä", 1), ("bb", 22.5)]
for left, right in rows:
    print(str(left).ljust(8), str(right).rjust(8), sep="│")
print("\t".join(map(str, range(3))), "─" * 10, sep="\n")
