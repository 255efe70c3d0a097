"""A gateway process in front of an origin that this test writes byte by byte.

The origin reads with wire.py's strict reader and keeps every request it was sent: what it did not see, the gateway did not pass on.
"""
import socket
import threading
import time

import wire
from shop import Alone

SERVICES = ("AUTH", "PRODUCT", "IMAGE", "SEARCH", "CART", "ORDER", "REVIEW", "PAYMENT", "STATS")


def answer(status=200, headers=(), body=b"", length=True):
    lines = [f"HTTP/1.1 {status} Whatever", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Origin:
    """`respond(request)` gives the bytes to send; None or a list that ends with None closes the connection after them."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.requests, self.faults = [], []
        self.respond = lambda request: answer()
        self.early = None  # bytes to send as soon as a head has come, before any body
        self.closed = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(30)
        data = b""
        with connection:
            while not self.closed:
                try:
                    request, used = wire.read_request(data)
                except wire.Incomplete:
                    if self.early and b"\r\n\r\n" in data:
                        connection.sendall(self.early)
                        connection.shutdown(socket.SHUT_WR)
                        time.sleep(0.3)
                        return
                    try:
                        got = connection.recv(65536)
                    except OSError:
                        return
                    if not got:
                        if data:
                            with self.lock:
                                self.faults.append(("incomplete", data))
                        return
                    data += got
                    continue
                except wire.Bad as bad:
                    with self.lock:
                        self.faults.append((str(bad), data))
                    return
                data = data[used:]
                with self.lock:
                    self.requests.append(request)
                try:
                    for piece in self.pieces(request):
                        if piece is None:
                            return
                        connection.sendall(piece)
                except OSError:
                    return

    def pieces(self, request):
        made = self.respond(request)
        return made if isinstance(made, (list, tuple)) else [made]

    def take(self):
        """What came since the last call."""
        with self.lock:
            found, self.requests = self.requests, []
            self.faults.clear()
        return found

    def close(self):
        self.closed = True
        self.listener.close()


class Gateway(Alone):
    """build/bin/api-gateway with every service at the origin's address."""

    def __init__(self, origin_port):
        address = f"http://127.0.0.1:{origin_port}"
        super().__init__("api-gateway", environment={"THREADS": "2", "CONSUL_AGENT_HOST": "", **{f"{name}_SERVICE_URL": address for name in SERVICES}})
