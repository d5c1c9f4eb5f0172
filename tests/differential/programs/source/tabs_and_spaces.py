# TabError: tabs and spaces that do not agree.
if True:
	print(1)
        print(2)
