# Indentation by tabs.
for i in range(2):
	if i:
		print("tab", i)
	else:
		print("else")
