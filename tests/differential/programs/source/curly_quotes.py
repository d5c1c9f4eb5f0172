# Quotation marks as word processors make them.
print(“hello”)
