# What modules of the library keep at the start: filters, handlers, registries, seeds.
import codecs
import gc
import linecache
import logging
import re
import sys
import threading
import warnings

print(len(re._cache), logging.root.handlers, logging.root.level, linecache.cache, warnings.filters)
print(threading.enumerate()[0].name, threading.active_count(), gc.isenabled(), gc.callbacks, sys.gettrace())
