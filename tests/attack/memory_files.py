# attack: open the files behind our memory, which other jobs and the host have in theirs
# expect: CONTAINED
# bare: host
import os

from hostile import DENIED, finish, refused

# Of a warm job that is a memory of its zygote, of all jobs the libraries.
with open("/proc/self/maps", encoding="utf-8") as maps:
    spans = [line.split()[0] for line in maps if len(line.split()) > 5 and line.split()[5].startswith("/")]
for span in spans:
    start, end = (int(word, 16) for word in span.split("-"))
    refused(f"map_files/{span}", DENIED, os.open, f"/proc/self/map_files/{start:x}-{end:x}", os.O_RDONLY)
finish()
