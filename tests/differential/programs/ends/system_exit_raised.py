# raise SystemExit, without sys.
print("before")
raise SystemExit(9)
