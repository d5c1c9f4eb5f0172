# Nothing can be written beside the standard library.
import os

print(os.access(os.__file__, os.W_OK), os.access("/usr", os.W_OK), os.path.exists("/etc/passwd"))
