# Tries to connect to other hosts.
import socket


def attempt(what, host, port):
    try:
        socket.create_connection((host, port), 2)
        print(f"{what}: connected!")
    except OSError as error:
        print(f"{what}: {error}")


attempt("The internet", "1.1.1.1", 443)
attempt("The host", "127.0.0.1", 22)
attempt("The cloud's metadata", "169.254.169.254", 80)
attempt("The neighbours", "10.0.0.1", 445)
attempt("A name", "example.com", 443)
