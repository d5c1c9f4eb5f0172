# A script whose name has spaces and characters that are not ASCII.
# name: my größe.py
import sys

print(sys.argv)
raise ValueError("ö")
