# platform, sys and sysconfig: what runs here.
import os
import platform
import sys
import sysconfig

print(platform.python_version(), platform.python_implementation(), platform.system(), platform.machine(), platform.node())
print(sys.version, sys.version_info, sys.hexversion, sys.implementation.name, sys.implementation.cache_tag, sys.platform)
print(sysconfig.get_path("stdlib"), sysconfig.get_platform(), sys.api_version, sys.abiflags, platform.libc_ver())
print(os.uname().sysname, platform.python_compiler(), sys.maxsize, sys.maxunicode, sys.getrefcount is not None)
