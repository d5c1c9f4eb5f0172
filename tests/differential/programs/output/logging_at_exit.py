# logging in a function of atexit and in a __del__.
import atexit
import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(levelname)s:%(message)s")
atexit.register(logging.warning, "in atexit")


class Noisy:
    def __del__(self, warning=logging.warning):
        warning("in __del__")


noisy = Noisy()
logging.error("in main")
