# Prompts and prints stand in the order of the calls.
# stdin: "Ann\n30\n"
# merge: yes
# lines: yes
import sys

print("Welcome")
name = input("Name: ")
print("log", file=sys.stderr)
age = int(input("Age: "))
print(f"{name} is {age}")
