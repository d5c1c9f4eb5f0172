from collections import Counter

proverb = "a job goes in a verdict comes out"


def main():
    print("The output of main() is shown apart.")
    words = proverb.split()
    letters = Counter("".join(words))
    return {"words": len(words), "letters": letters}
