# struct, array, bytes, memoryview, int.to_bytes.
import struct
import sys

print(struct.pack("<IhQ3s", 1, -2, 3, b"ab"), struct.unpack(">H", b"\x01\x02"), struct.calcsize("@lPq"), sys.byteorder)
view = memoryview(bytearray(b"abcdef"))
view[1:3] = b"XY"
print(bytes(view), (1000).to_bytes(2, "big"), int.from_bytes(b"\xff\xfe", "little", signed=True), bytes.fromhex("ff 00"))
struct.unpack("<I", b"abc")
