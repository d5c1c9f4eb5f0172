# A server at a UNIX socket, in a thread.
import socketserver
import socket
import threading


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())


with socketserver.ThreadingUnixStreamServer("socket", Echo) as server:
    threading.Thread(target=server.serve_forever).start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("socket")
        client.sendall(b"hello\n")
        print(client.makefile().read())
    server.shutdown()
