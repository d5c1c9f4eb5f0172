# A subclass of KeyboardInterrupt ends python by SIGINT, too.
class Interrupt(KeyboardInterrupt):
    pass


raise Interrupt("mine")
