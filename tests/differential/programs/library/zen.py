# import this, import antigravity's geohash, and __hello__.
import __hello__
import this

__hello__.main() if hasattr(__hello__, "main") else None
