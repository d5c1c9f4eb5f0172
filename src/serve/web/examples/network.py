# Sends what it finds to somebody, if it can.
import socket


def attempt(what, action):
    try:
        action()
        print(f"{what}: connected!")
    except OSError as error:
        print(f"{what}: {error}")


attempt("The internet", lambda: socket.create_connection(("1.1.1.1", 443), timeout=2))
attempt("The host", lambda: socket.create_connection(("127.0.0.1", 22), timeout=2))
attempt("The cloud's metadata", lambda: socket.create_connection(("169.254.169.254", 80), timeout=2))
attempt("A name", lambda: socket.getaddrinfo("example.com", 443))
attempt("The neighbours", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("10.0.0.255", 9)))
