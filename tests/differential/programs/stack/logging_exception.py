# logging.exception with its traceback, and the caller's place in the format.
import logging

logging.basicConfig(format="%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(module)s %(message)s")


def work():
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("failed")


work()
logging.warning("from the top", stack_info=True)
