# Never ends.
turns = 0
print("Turning…", flush=True)
while True:
    turns += 1
