# PYTHONUTF8=1.
# env: PYTHONUTF8=1 LC_ALL=C
import sys

print(sys.stdout.encoding, sys.stdout.errors, sys.flags.utf8_mode, "é")
