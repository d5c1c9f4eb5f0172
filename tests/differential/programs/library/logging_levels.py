# logging's levels, loggers, and the last resort on stderr.
import logging

logging.debug("not shown")
logging.getLogger("never.configured").warning("last resort? no: basicConfig")
logging.getLogger("a.b").setLevel(logging.DEBUG)
logging.getLogger("a.b").debug("shown? %s", logging.getLogger("a.b").isEnabledFor(logging.DEBUG))
logging.warning("root: %d %s", 1, "two")
logging.error("wrong: %d", "not a number")
