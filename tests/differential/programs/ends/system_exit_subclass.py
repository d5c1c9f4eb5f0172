# A subclass of SystemExit with a code of its own.
class Done(SystemExit):
    def __init__(self, text):
        super().__init__(text)
        self.code = 17


raise Done("ignored")
