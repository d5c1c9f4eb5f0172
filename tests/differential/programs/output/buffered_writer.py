# io.BufferedWriter around a raw file, held by the module.
import io

raw = io.FileIO(1, "w", closefd=False)
out = io.BufferedWriter(raw, buffer_size=1 << 16)
out.write(b"raw bytes \xff\xfe\n")
