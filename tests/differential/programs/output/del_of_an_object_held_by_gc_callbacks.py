# __del__ of an object that gc.callbacks holds.
import gc


class Callback:
    def __call__(self, phase, info):
        pass

    def __del__(self):
        print("callback gone")


gc.callbacks.append(Callback())
print("end of main")
