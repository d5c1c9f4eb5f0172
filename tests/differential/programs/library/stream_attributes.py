# What sys.stdout and sys.stderr are, except for what buffers by lines.
import sys

for stream in (sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.newlines, stream.isatty(), stream.fileno(),
          stream.write_through, stream.writable(), stream.readable(), stream.seekable(), type(stream).__name__,
          type(stream.buffer).__name__, type(stream.buffer.raw).__name__, stream.buffer.raw.closefd)
print(sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stderr.line_buffering, repr(sys.stdout))
