# attack: allocate and touch memory beyond the limit
# expect: memory
# limits: --memory 64M --timeout 60
# bare: host
from hostile import armed, breach, finish

MIB = 1 << 20

armed("256 MiB are next")
kept = [b"x" * MIB for _ in range(256)]
breach(f"holds {len(kept)} MiB of 64")
finish()
