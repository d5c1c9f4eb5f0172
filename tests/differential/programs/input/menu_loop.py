# A menu that reads until "quit", a program of every beginner.
# stdin: "add 2 3\nfoo\nquit\nadd 1 1\n"
while True:
    words = input("> ").split()
    if words[0] == "quit":
        break
    if words[0] == "add":
        print(int(words[1]) + int(words[2]))
    else:
        print("unknown command:", words[0])
print("bye")
