# attack: wait for ever on our own streams, of which we hold both ends: no end of file comes
# expect: timeout
# limits: --timeout 2
# bare: host
import contextlib
import os
import select

from hostile import PATIENCE, armed, breach, finish

kept = []
for descriptor in range(3):
    with contextlib.suppress(OSError):
        kept.append(os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_NONBLOCK))
readable, writable = os.pipe()
armed(f"reads what nobody writes, and keeps {len(kept)} more ends of its streams")
select.select([readable], [], [], PATIENCE)
breach("past the wall time")
finish()
