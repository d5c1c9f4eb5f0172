# hashlib, hmac, base64, binascii, secrets' lengths, uuid of names.
import base64
import binascii
import hashlib
import hmac
import uuid

print(hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"").hexdigest(), hashlib.blake2b(b"x", digest_size=8).hexdigest())
print(hmac.new(b"key", b"text", "sha1").hexdigest(), base64.b64encode(b"\xff\xfe"), base64.urlsafe_b64decode("__8="))
print(binascii.hexlify(b"ab"), uuid.uuid5(uuid.NAMESPACE_DNS, "example.org"), hashlib.pbkdf2_hmac("sha256", b"p", b"s", 1000).hex())
print(sorted(hashlib.algorithms_guaranteed)[:3], hash(1), hash(1.5), hash(True), hash((1, 2)))
