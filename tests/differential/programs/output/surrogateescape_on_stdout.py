# errors="surrogateescape": bytes that are not UTF-8 on standard output.
import sys

sys.stdout.reconfigure(errors="surrogateescape")
print(b"caf\xe9".decode("utf-8", "surrogateescape"))
