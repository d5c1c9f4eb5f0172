# exit(1): no traceback.
print("before")
exit(1)
