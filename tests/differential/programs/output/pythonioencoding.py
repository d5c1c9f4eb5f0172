# PYTHONIOENCODING=latin-1:xmlcharrefreplace for the standard streams.
# env: PYTHONIOENCODING=latin-1:xmlcharrefreplace
import sys

print("é €")
print("ü", file=sys.stderr)
print(sys.stdout.encoding, sys.stdout.errors, sys.stdin.encoding, sys.stderr.errors)
