# No newline at the end of an indented block.
if True:
    print("block")