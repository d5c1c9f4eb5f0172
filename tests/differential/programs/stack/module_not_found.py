# ModuleNotFoundError, and ImportError of a name.
try:
    import no_such_module
except ImportError as error:
    print(type(error).__name__, error, error.name, error.path)
try:
    from os import no_such_name
except ImportError as error:
    print(type(error).__name__, str(error).partition("(")[0], error.name)
import numpy_is_not_here.submodule
