# A MemoryHandler that is flushed by logging's own end.
import logging
import logging.handlers
import sys

target = logging.StreamHandler(sys.stdout)
handler = logging.handlers.MemoryHandler(capacity=100, flushLevel=logging.CRITICAL, target=target)
log = logging.getLogger("kept")
log.addHandler(handler)
log.warning("kept until the end")
print("end of main")
