# attack: read the keys of the host's session, which no namespace separates, and add keys
# expect: CONTAINED
# host: key
# bare: host
from hostile import FILTERED, call, finish, refused

KEYCTL_GET_KEYRING_ID, KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SEARCH = 0, 1, 10
ENOKEY, EINVAL, EACCES, EKEYREVOKED = 126, 22, 13, 128
REACHED = (ENOKEY, EINVAL, EACCES, EKEYREVOKED)


def tried(what, name, *arguments):
    refused(what, FILTERED, call, name, *arguments, reached=REACHED)


# Thread, process, session, user, user session.
for keyring in range(-1, -6, -1):
    tried(f"keyring {keyring}", "keyctl", KEYCTL_GET_KEYRING_ID, keyring, 0)
    tried(f"search {keyring}", "keyctl", KEYCTL_SEARCH, keyring, b"user", b"attack-canary", 0)
tried("request_key", "request_key", b"user", b"attack-canary", None, 0)
tried("add_key", "add_key", b"user", b"attack-own", b"x", 1, -2)
tried("join", "keyctl", KEYCTL_JOIN_SESSION_KEYRING, b"attack")
finish()
