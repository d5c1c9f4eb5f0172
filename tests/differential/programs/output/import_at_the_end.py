# Imports in atexit and in a __del__ at the end.
import atexit


@atexit.register
def late():
    import base64

    print(base64.b64encode(b"late").decode())


class Late:
    def __del__(self):
        try:
            import colorsys

            print("imported", colorsys.__name__)
        except ImportError as error:
            print(error)


late_object = Late()
