# LC_ALL=POSIX with PYTHONUTF8=0 and PYTHONCOERCECLOCALE=0: ASCII and surrogateescape.
# env: LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0
import sys

print(sys.stdout.encoding, sys.stdout.errors, sys.getfilesystemencoding(), sys.flags.utf8_mode)
