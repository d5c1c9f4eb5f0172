# random with a seed gives the same numbers as anywhere.
# also: warm
import random

random.seed(42)
print(random.random(), random.randint(1, 100), random.choice("abc"), random.sample(range(100), 5))
items = list(range(10))
random.shuffle(items)
print(items, random.gauss(0, 1), random.Random("text").random(), random.getrandbits(64))
