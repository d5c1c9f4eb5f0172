# codecs.getwriter("utf-8")(sys.stdout.buffer) in place of stdout, as scripts from Python 2 do it.
import codecs
import sys

sys.stdout = codecs.getwriter("utf-8")(sys.stdout.buffer)
print("straße")
