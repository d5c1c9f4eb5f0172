def mean(values):
    return sum(values) / len(values)


def report(name, values):
    print(f"{name}: {mean(values):.2f}")


report("Temperatures", [19.5, 21.0, 18.5])
report("Rainfall", [])
