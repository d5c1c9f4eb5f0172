# random without a seed is not the same in parent and child, nor is os.urandom.
import os
import random
import secrets
import subprocess
import sys
import uuid

code = "import random; print(random.random())"
print(len({subprocess.check_output([sys.executable, "-c", code]) for _ in range(3)}))
print(random.random() != random.random(), len(os.urandom(8)), len(secrets.token_hex(8)), uuid.uuid4().version)
