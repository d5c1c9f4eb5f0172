# Sockets in pairs, and what connecting to the network says.
import socket

a, b = socket.socketpair()
a.sendall(b"hello")
a.shutdown(socket.SHUT_WR)
print(b.recv(100), b.recv(100), a.family.name, socket.inet_aton("127.0.0.1"))
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    print(error)
try:
    socket.create_connection(("127.0.0.1", 80), timeout=1)
except OSError as error:
    print(error)
try:
    socket.getaddrinfo("example.org", 80)
except socket.gaierror as error:
    print(type(error).__name__)
