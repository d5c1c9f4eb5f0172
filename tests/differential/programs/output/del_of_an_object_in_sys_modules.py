# __del__ of an object that stands in sys.modules itself.
import sys


class Fake:
    __spec__ = None

    def __del__(self):
        print("no module any more")


sys.modules["fake"] = Fake()
print("end of main")
