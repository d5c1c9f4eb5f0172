# -*- coding: utf-8 -*- A byte order mark and a declaration of UTF-8.
print("é")
