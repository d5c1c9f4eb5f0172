# A logger without any handler: the last resort writes the text alone.
import logging

logging.getLogger("x").warning("to stderr")
logging.getLogger("x").info("to nobody")
