# __del__ of an object that only a signal handler holds.
import signal


class Handler:
    def __call__(self, number, frame):
        pass

    def __del__(self):
        print("handler gone")


signal.signal(signal.SIGUSR1, Handler())
print("end of main")
