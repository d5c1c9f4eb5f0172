# A file that is no text.
# files: data.bin b"\x00\xff\xfe\x80"
print(open("data.bin", "rb").read())
