# locale and the encodings of everything.
import locale
import os
import sys

print(sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), locale.getpreferredencoding())
print(locale.setlocale(locale.LC_ALL), locale.getlocale(), locale.setlocale(locale.LC_ALL, ""), locale.localeconv()["decimal_point"])
print(sys.stdin.encoding, sys.stdout.encoding, sys.stderr.encoding, sys.stdin.errors, sys.stdout.errors, sys.stderr.errors)
print(open("x", "w").encoding, os.fsencode("é"), os.device_encoding(0), sys.flags.utf8_mode)
try:
    locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
except locale.Error as error:
    print(error)
