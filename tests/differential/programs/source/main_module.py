# sys.modules["__main__"], its loader, spec and file.
import sys

main = sys.modules["__main__"]
print(main.__dict__ is globals(), type(main).__name__, type(main.__loader__).__name__, main.__spec__, main.__package__)
print(main.__loader__.name, main.__loader__.path == main.__file__, main.__cached__, repr(main).replace("/work/", ""))
