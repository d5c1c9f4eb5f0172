# A subclass of BaseException that nothing catches.
class Stop(BaseException):
    pass


raise Stop("here")
