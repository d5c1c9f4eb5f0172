# "Did you mean" in the traceback of an AttributeError.
class Account:
    def __init__(self):
        self.balance = 0


Account().blance
