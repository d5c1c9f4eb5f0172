# Escapes of all kinds in strings, and lone surrogates that are not printed.
print("\x41\u00e9\U0001f600\N{GREEK SMALL LETTER ALPHA}\101\t|", ascii("\ud800\udfff"), len("\ud83d\ude00"))
print(b"\x00\xff\n", r"\n", rb"\x00", "a" "b" 'c')
