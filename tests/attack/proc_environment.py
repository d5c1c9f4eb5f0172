# attack: find the secrets of the sandbox's own environment, in ours or left over in our memory
# expect: CONTAINED
# host: environment
# bare: host
import os
import re

from hostile import breach, contained, finish

# The test puts such a value into the environment of sandbox-run itself, and nowhere else.
SECRET = re.compile(rb"host-only-secret-[0-9a-f]{32}")
PREFIXES = ("PYTHON", "LC_", "ATTACK_", "SANDBOX_", "MPL", "OMP_", "OPENBLAS_")
EXPECTED = {"PATH", "HOME", "LANG", "TMPDIR", "PWD", "SHLVL", "_", "TZ"}

for name in os.environ:
    if name not in EXPECTED and not name.startswith(PREFIXES):
        breach(f"{name}={os.environ[name][:40]}")

searched = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, rights, *_ = line.split()
        start, end = (int(part, 16) for part in span.split("-"))
        if "r" not in rights or "[v" in line:
            continue
        try:
            content = os.pread(memory.fileno(), end - start, start)
        except OSError:
            continue
        searched += len(content)
        if SECRET.search(content):
            breach(f"the secret is in our memory: {line.strip()}")
contained(f"no foreign variable, no secret in {searched} bytes of memory")
finish()
