# A script that is called random.py, the fault of many beginners.
# name: random.py
import random

print(random.randint(1, 6))
