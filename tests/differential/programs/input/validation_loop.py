# A loop that asks until it gets a number.
# stdin: "abc\n\n-5\n7\n"
while True:
    try:
        number = int(input("Enter a positive number: "))
        if number > 0:
            break
        print("must be positive")
    except ValueError as error:
        print(error)
print("got", number)
