# -*- coding: latin-1 -*- A coding declaration in the first line.
print("café", len("é"))
