# raise KeyboardInterrupt ends python by SIGINT.
print("before", flush=True)
raise KeyboardInterrupt
