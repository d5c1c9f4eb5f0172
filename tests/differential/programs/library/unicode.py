# unicodedata, casefold, normal forms, encodings.
import unicodedata

print(unicodedata.name("ß"), unicodedata.category("é"), unicodedata.normalize("NFD", "é").encode(), unicodedata.lookup("SNOWMAN"))
print("Straße".casefold(), sorted("äzaÄ"), "日本".encode("shift_jis"), "€".encode("cp1252"), b"\xff".decode("latin-1"))
for bad in (lambda: "é".encode("ascii"), lambda: b"\xff".decode(), lambda: "x".encode("no-such")):
    try:
        bad()
    except (UnicodeError, LookupError) as error:
        print(error)
