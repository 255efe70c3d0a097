#!/usr/bin/env python3
"""Slow, greedy and endless clients: tests/security/slow.py

While each of them is at work, a good visitor reads the catalogue; memory is watched.
"""
import contextlib
import os
import resource
import selectors
import socket
import sys
import threading
import time

from wire import Checks, Connection, answers, expect, message_of
from shop import eventually, opened

HEAD_LIMIT_S = 10
GET = "GET /products?limit=5 HTTP/1.1\r\nHost: shop.test\r\n\r\n"


class GoodVisitor:
    """Asks for the catalogue all the while; how long each answer took."""

    def __init__(self, shop):
        self.shop, self.took, self.failed, self.stop = shop, [], [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client = self.shop.client(timeout=15)
        while not self.stop.wait(0.02):
            start = time.monotonic()
            try:
                status = client.get("/products?limit=5").status
            except OSError as error:
                status = repr(error)
            self.took.append(time.monotonic() - start)
            if status != 200:
                self.failed.append(status)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if not kind:
            expect(not self.failed, f"the good visitor got {self.failed[:5]}")
            expect(len(self.took) >= 10, f"the good visitor was answered {len(self.took)} times only")
            slow = sorted(self.took)[int(len(self.took) * 0.95)]
            expect(slow < 1.0, f"the good visitor waited {slow:.2f} s")


class Memory:
    """Resident memory may rise by so many MB while it is open."""

    def __init__(self, shop, limit_mb):
        self.shop, self.limit_mb = shop, limit_mb

    def __enter__(self):
        self.before = self.shop.resident_mb() if hasattr(self.shop, "resident_mb") else None
        return self

    def __exit__(self, kind, *_):
        if not kind and self.before is not None:
            now = self.shop.resident_mb()
            expect(now - self.before < self.limit_mb, f"resident memory rose from {self.before:.0f} to {now:.0f} MB")


def open_many(shop, count, first):
    """`count` connections that have sent `first`."""
    found = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", shop.port), 10)
        found.append(one)
        if first:
            one.sendall(first)
    return found


def ends(sockets, limit_s):
    """When each was closed by the other end, in seconds from now; None: not within the time. What they send is dropped."""
    begun, closed = time.monotonic(), {}
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
        while len(closed) < len(sockets) and time.monotonic() - begun < limit_s:
            for key, _ in selector.select(0.2):
                try:
                    over = key.fileobj.recv(65536) == b""
                except ConnectionError:
                    over = True
                if over:
                    closed[key.fileobj] = time.monotonic() - begun
                    selector.unregister(key.fileobj)
    for one in sockets:
        one.close()
    return [closed.get(one) for one in sockets]


def half_open(shop):
    """1500 half-open connections of three kinds: good traffic goes on, all are cut after 10 s, none costs 12 kB"""
    with GoodVisitor(shop), Memory(shop, 1800 * 12 / 1024 + 6):
        silent = open_many(shop, 500, b"")
        begun = open_many(shop, 500, b"GET /products HTTP/1.1\r\nHost: shop.test\r\nX-A: ")
        fed = open_many(shop, 500, b"GET /products HTTP/1.1\r\n")
        stop = threading.Event()

        def feed():  # a byte now and then does not buy more time
            while not stop.wait(1.0):
                for one in fed:
                    with contextlib.suppress(OSError):
                        one.send(b"a")

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            times = ends(silent + begun + fed, HEAD_LIMIT_S + 6)
        finally:
            stop.set()
            feeder.join()
    for name, part in (("silent", times[:500]), ("begun", times[500:1000]), ("fed", times[1000:])):
        expect(None not in part, f"{part.count(None)} {name} connections were not cut")
        expect(min(part) > HEAD_LIMIT_S - 6, f"a {name} connection was cut after {min(part):.1f} s")


def slow_bodies(shop):
    """300 bodies that never come: good traffic goes on, all are cut"""
    head = b"POST /auth/login HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{"
    with GoodVisitor(shop):  # their memory is counted by half_open, which runs beside it
        times = ends(open_many(shop, 300, head), 18)
    expect(None not in times, f"{times.count(None)} were not cut")


def slow_readers(shop):
    """200 clients that ask for much and read nothing: good traffic goes on, memory stays"""
    with GoodVisitor(shop), Memory(shop, 30):
        readers = open_many(shop, 200, b"")
        for one in readers:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.send(b"GET /openapi.json HTTP/1.1\r\nHost: shop.test\r\n\r\n" * 40)
        time.sleep(3)
    for one in readers:
        one.close()


def pipelined(shop):
    """10 MB of pipelined requests are answered in order, in bounded memory"""
    one = b"GET /health HTTP/1.1\r\nHost: shop.test\r\nX-Number: %06d\r\nX-Padding: " + b"p" * 900 + b"\r\n\r\n"
    count = 10 * 1024 * 1024 // len(one)
    with Memory(shop, 20), Connection(shop.port, timeout=60) as connection:
        def send():
            for number in range(count):
                connection.socket.sendall((one % number).replace(b"/health", b"/health" if number % 2 else b"/nowhere"))

        sender = threading.Thread(target=send)
        sender.start()
        for number in range(count):
            found = connection.answer()
            expect(found and found[0] == (200 if number % 2 else 404), f"answer {number} is {found}")
        sender.join()


def too_much(shop):
    """Too large a head, target, field or count of fields ends in an error and a closed connection"""
    for name, data in {"a head of 17 KiB": f"GET /health HTTP/1.1\r\nHost: a\r\nX-A: {'a' * 17000}\r\n\r\n", "a head that never ends": f"GET /health HTTP/1.1\r\nHost: a\r\nX-A: {'a' * 2_000_000}",
                       "a target of 20 kB": f"GET /{'a' * 20000} HTTP/1.1\r\nHost: a\r\n\r\n", "10 000 fields": f"GET /health HTTP/1.1\r\nHost: a\r\n{'a: b' + chr(13) + chr(10) }" + "a: b\r\n" * 10000 + "\r\n",
                       "1 MB without a line end": "A" * 1_000_000}.items():
        with Connection(shop.port) as connection:
            with contextlib.suppress(ConnectionError):
                connection.send(data)
            found, _ = answers(connection.rest())
            expect(len(found) <= 1 and (not found or found[0][0] in (400, 413, 414, 431)), f"{name}: {found}")
            if found:
                expect(message_of(found[0][2]) and found[0][1].get("connection") == "close", f"{name}: {found}")


def too_large_bodies(shop):
    """Bodies beyond the limit are a 413, told or found out; the rest is never read"""
    head = "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with Memory(shop, 10):
        for name, data in {"told": head + "Content-Length: 100001\r\n\r\n", "told, huge": head + "Content-Length: 999999999999\r\n\r\n",
                           "found out": head + "Transfer-Encoding: chunked\r\n\r\n" + "4000\r\n" + "a" * 0x4000 + "\r\n" + ("4000\r\n" + "a" * 0x4000 + "\r\n") * 20}.items():
            with Connection(shop.port) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.send(data)
                found = connection.answer()
                expect(found and found[0] == 413 and message_of(found[2]), f"{name}: {found}")
        for name, extra in {"a trailer without end": "0\r\n" + "X-A: 1\r\n" * 100_000, "an extension without end": "5;" + "a" * 1_000_000, "a size without end": "0" * 1_000_000}.items():
            with Connection(shop.port) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.send(head + "Transfer-Encoding: chunked\r\n\r\n" + extra)
                found = answers(connection.rest())[0]
                expect(not found or found[0][0] in (400, 413), f"{name}: {found}")


def bombs(shop):
    """JSON that is deep, wide or doubled costs an error, not the shop"""
    client = shop.client()
    for name, body in {"deep arrays": "[" * 49_000, "deep objects": '{"a":' * 19_000, "deep, closed": "[" * 40_000 + "]" * 40_000, "33 levels": "[" * 33 + "]" * 33, "one string": '"' + "a" * 99_000 + '"',
                       "many members": "{" + ",".join(f'"k{i}":1' for i in range(8000)) + "}", "the same member": "{" + ",".join('"email":"x"' for _ in range(7000)) + "}",
                       "a long number": "1" * 99_000, "an exponent": '{"email":1e999999999}', "surrogates": '{"email":"\\ud800","password":"x"}', "NUL": '{"email":"a\\u0000b","password":"x"}',
                       "bad UTF-8": b'{"email":"\xff\xfe","password":"x"}', "a byte order mark": b"\xef\xbb\xbf{}", "nothing": "", "blanks": " " * 90_000, "comments": "/* */{}", "NaN": '{"email":NaN}',
                       "a comma too many": '{"email":"a",}', "two values": "{}{}", "an array": "[]", "a null": "null"}.items():
        start = time.monotonic()
        found = client.post("/auth/login", body, headers={"Content-Type": "application/json"})
        expect(found.status == 400 and message_of(found.body), f"{name}: {found}")
        expect(time.monotonic() - start < 2, f"{name} took {time.monotonic() - start:.1f} s")
        expect(len(found.body) < 20_000, f"{name}: an answer of {len(found.body)} bytes")
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/jsonx"):
        found = client.post("/auth/login", "{}", headers={"Content-Type": content_type})
        expect(found.status == 415 and message_of(found.body), f"{content_type}: {found}")


def queries(shop):
    """Queries that are long, doubled or absurd cost an error or are read by the rule, never a 500"""
    client = shop.client()
    for query in ("page=999999999999999999999", "page=-1&limit=-5", "limit=1000000000", "limit=1e9", "page=1&page=2", "limit=", "q=" + "a" * 9000, "q=%ff%fe", "q=%00", "sortBy=price;DROP%20TABLE%20products",
                  "minPrice=1e308", "minPrice=-1", "minPrice=NaN", "maxPrice=Infinity", "attributes[Color][]=" + "x" * 5000, "attributes[]=x", "attributes[a[b]]=c",
                  "&".join(f"attributes[N{i}][]=x" for i in range(60)), "&" * 5000, "=&=&=", "categorySlug=../../etc", "inStock=yes", "isActive=2", "%", "%zz=1", "a%5b%5d=%25"):
        start = time.monotonic()
        found = client.get(f"/products?{query}")
        expect(found.status in (200, 400), f"{query[:80]}: {found}")
        expect(found.status == 200 or message_of(found.body), f"{query[:80]}: {found}")
        expect(time.monotonic() - start < 2, f"{query[:80]} took {time.monotonic() - start:.1f} s")


def idle_is_kept(shop):
    """A connection that rests for 12 s between requests is still good: only heads that have begun are cut"""
    with Connection(shop.port) as connection:
        connection.send(GET)
        expect(connection.answer()[0] == 200, "the first request")
        time.sleep(HEAD_LIMIT_S + 2)
        connection.send(GET)
        expect((connection.answer() or [0])[0] == 200, "the connection is gone")


def at_once(checks, shop, *functions):
    """Those that mostly wait run together."""
    threads = [threading.Thread(target=checks.run, args=(function, shop)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def no_descriptors_left(shop):
    """Without descriptors left new connections wait, and those that are there are served; afterwards all is well"""
    pid = shop.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with Connection(shop.port) as kept:
        kept.send(GET)
        expect(kept.answer()[0] == 200, "before")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 60, before[1]))
        try:
            many = open_many(shop, 300, b"GET /health HTTP/1.1\r\nHost: a\r\nX: ")
            time.sleep(0.3)
            kept.send(GET)
            expect((kept.answer() or [0])[0] == 200, "a connection that was there")
            for one in many:
                one.close()
            found = eventually(lambda: shop.client(timeout=5).get("/products").status == 200, 5)
            expect(found, "the shop does not come back")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def main():
    checks = Checks("slow and greedy clients")
    with opened(demo=False) as shop:
        shop.client().get("/products?limit=5")
        checks.run(too_much, shop)
        checks.run(too_large_bodies, shop)
        checks.run(bombs, shop)
        checks.run(queries, shop)
        checks.run(pipelined, shop)
        checks.run(slow_readers, shop)
        at_once(checks, shop, half_open, slow_bodies, idle_is_kept)

        def alive():
            """The shop lives, and its connections are gone"""
            expect(shop.client().get("/health").status == 200, "no longer")

        checks.run(alive)
        if shop.mode == "one process":
            checks.run(no_descriptors_left, shop)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
