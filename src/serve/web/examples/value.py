from collections import Counter


def main():
    print("What main() prints stays apart from what it returns.")
    words = "a job goes in a verdict comes out and nothing else gets through".split()
    return {"words": len(words), "letters": dict(Counter("".join(words)).most_common(5))}
