# linecache and tokenize of the script itself.
import linecache
import tokenize

print(linecache.getline(__file__, 3), end="")
with tokenize.open(__file__) as file:
    print(file.encoding, sum(1 for _ in tokenize.generate_tokens(file.readline)))
