# A second stream for descriptor 1 that is part of a cycle.
class Writer:
    def __init__(self):
        self.out = open(1, "w", closefd=False)
        self.me = self


Writer().out.write("in a cycle\n")
