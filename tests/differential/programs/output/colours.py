# Colours for a terminal that is not there.
print("\033[1;32mgreen\033[0m plain \033[2J")
