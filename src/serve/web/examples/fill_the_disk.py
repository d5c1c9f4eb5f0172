# Tries to leave a file behind.
import pathlib

places = "/ /etc /tmp /work /usr/lib/python3 /dev/shm"

for directory in places.split():
    try:
        path = pathlib.Path(directory, "i-was-here")
        path.write_text("x" * 1_000_000)
        print(f"{directory}: written!")
    except OSError as error:
        print(f"{directory}: {error.strerror}")
