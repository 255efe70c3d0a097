#!/usr/bin/env python3
"""Mutants of legal requests through the gateway: tests/security/mutants.py [COUNT] [SEED]

Each mutant goes over a connection of its own. What the origin behind the gateway saw must be what the strict reader sees in the
client's bytes: the same requests, or, where the gateway refuses, only those before. One request more, or one that differs in method,
target or body, is a disagreement: request smuggling. 0 are allowed.
"""
import os
import random
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from wire import Checks, Connection, expect, read_stream
from origin import Gateway, Origin, answer

HOST = b"Host: shop.test\r\n"
SMUGGLED = b"GET /products/smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"
INTERESTING = [b"\r", b"\n", b"\r\n", b"\x00", b" ", b"\t", b"\x0b", b"\x0c", b"\x1f", b"\x7f", b"\x80", b"\xa0", b"\xff", b":", b";", b",", b"_", b"-", b"+", b"0", b"\"",
               b"\r\n\r\n", b"\n\n", b"\r\n ", b"\r\n\t", b"chunked", b"identity", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
               b"Transfer-Encoding: xchunked\r\n", b"Connection: Content-Length\r\n", b"Connection: Transfer-Encoding\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", HOST,
               b"Host: other.test\r\n", b"HTTP/1.0", b"HTTP/1.1", b"0\r\n\r\n", b"5\r\nhello\r\n", b"fffffffffffffff", b"10000000000000005", b"0x", SMUGGLED]


def seeds(mark):
    """Legal streams whose bodies hold what must not become a request."""
    path = f"/products/{mark}".encode()
    last = b"GET " + path + b"/last HTTP/1.1\r\n" + HOST + b"\r\n"
    size = str(len(SMUGGLED)).encode()
    chunk = b"%x\r\n%s\r\n" % (len(SMUGGLED), SMUGGLED)
    yield b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: " + size + b"\r\nX-A: b\r\n\r\n" + SMUGGLED + last
    yield b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"X-A: b\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n" + last
    yield b"PUT " + path + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n5;a=b\r\nhello\r\n" + chunk + b"0\r\nX-Trailer: 1\r\n\r\n" + last
    yield b"GET " + path + b"?a=b HTTP/1.1\r\n" + HOST + b"Accept: */*\r\nContent-Length: 0\r\n\r\n" + last
    yield b"DELETE " + path + b" HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: " + size + b"\r\n" + HOST + b"\r\n" + SMUGGLED + last


# Each kind changes a stream in one way that servers have been found to read differently.
def insert(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(INTERESTING) + data[at:]


def remove(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 1, 1, 2, 5)):]


def replace(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + rng.choice(INTERESTING) + data[at + rng.choice((1, 1, 2)):]


def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def double_line(data, rng):
    lines = data.split(b"\r\n")
    at = rng.randrange(len(lines))
    return b"\r\n".join(lines[:at + 1] + lines[at:])


def swap_lines(data, rng):
    lines = data.split(b"\r\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\r\n".join(lines)


def fold_line(data, rng):
    parts = data.split(b"\r\n") + [b""]
    at = rng.randrange(1, len(parts))
    parts[at] = rng.choice((b" ", b"\t")) + parts[at]
    return b"\r\n".join(parts)


def line_ends(data, rng):
    parts = data.split(b"\r\n") + [b""]
    at = rng.randrange(1, len(parts))
    return b"\r\n".join(parts[:at]) + rng.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"")) + b"\r\n".join(parts[at:])


def spell_framing(data, rng):
    for name in rng.sample((b"Content-Length", b"Transfer-Encoding", b"Host"), 3):
        if name in data:
            other = rng.choice((name.lower(), name.upper(), name.replace(b"-", b"_"), name + b" ", name + b"\t", name + b"\x00", b" " + name, name.replace(b"-", b" "), b"X-" + name,
                                name.replace(b"e", b"\xe9"), name[:-1], name + b"s"))
            return data.replace(name, other, 1)
    return data


def odd_value(data, rng):
    for name in rng.sample((b"Content-Length: ", b"Transfer-Encoding: "), 2):
        at = data.find(name)
        if at >= 0:
            begin = at + len(name)
            end = data.find(b"\r\n", begin)
            value = data[begin:end]
            other = rng.choice((b"+" + value, b"-" + value, b"0" + value, b"0x" + value, value + b"," + value, value + b", " + value, value + b" ", b"\x0b" + value, value + b"\x00",
                                b"\"" + value + b"\"", value.upper(), b"x" + value, value + b";q=1", b"", value + b"\r\n" + name + value, b"identity, " + value, value[:-1], value + b"0"))
            return data[:begin] + other + data[end:]
    return data


def odd_chunk(data, rng):
    at = data.find(b"\r\n", data.find(b"\r\n\r\n") + 4)
    if b"chunked" not in data or at < 0:
        return insert(data, rng)
    begin = data.rfind(b"\n", 0, at) + 1
    size = data[begin:at]
    other = rng.choice((b"0" + size, b"0x" + size, b"+" + size, b" " + size, size + b" ", size + b";", size + b";a=\"\r\n", size + b";\n", size.upper(), b"-" + size, size + b"\t;x", b"1" + b"0" * 16 + size,
                        size + b"\x00", b"0", b"", size + b",5", b"_" + size))
    return data[:begin] + other + data[at:]


def cut(data, rng):
    return data[:rng.randrange(1, len(data))]


def two_of_them(data, rng):
    return rng.choice(KINDS[:-1])(rng.choice(KINDS[:-1])(data, rng), rng)


KINDS = [insert, remove, replace, flip, double_line, swap_lines, fold_line, line_ends, spell_framing, odd_value, odd_chunk, cut, two_of_them]


def seen_of(request):
    return request["method"], request["target"], request["body"]


def as_the_origin_should(request):
    method, target, body = seen_of(request)
    if target.startswith(b"http://"):
        target = b"/" + target[7:].partition(b"/")[2]
    target = target[len(b"/products"):]
    return method, target if target.startswith(b"/") else b"/" + target, body


FORWARDED = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE")  # other methods are the gateway's to answer


def for_the_origin(request):
    path = request["target"].removeprefix(b"http://shop.test").partition(b"?")[0]
    return request["method"] in FORWARDED and (path == b"/products" or path.startswith(b"/products/"))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    checks = Checks(f"mutants ({count}, seed {seed})")
    origin = Origin()
    tally = {"passed whole": 0, "refused": 0, "stricter": 0}

    def send(mutant):
        try:
            with Connection(gateway.port, timeout=15) as connection:
                connection.send(mutant).end()
                return connection.rest()
        except ConnectionError:  # refused while still sending
            return b""
        except socket.timeout:
            return None

    def judge(first):
        """No mutant is read differently by gateway and origin"""
        rng = random.Random(seed + first)
        batch = {}
        for number in range(first, min(first + 100, count)):
            mark = f"{rng.randrange(1 << 40):010x}-"
            originals = list(seeds(mark))
            batch[mark.encode()] = rng.choice(KINDS)(rng.choice(originals), rng) if number % 50 else rng.choice(originals)
        origin.take()
        with ThreadPoolExecutor(8) as pool:
            answers_of = dict(zip(batch, pool.map(send, batch.values())))
        time.sleep(0.02)
        seen, strangers = {mark: [] for mark in batch}, []
        for request in origin.take():
            owner = next((mark for mark in batch if mark in request["target"]), None)
            (seen[owner] if owner else strangers).append(seen_of(request))
        for mark, mutant in batch.items():
            expect(answers_of[mark] is not None, lambda: f"no end within 15 s: {mutant!r}")
            requests, _ = read_stream(mutant)
            wanted = [as_the_origin_should(request) for request in requests if for_the_origin(request) and mark in request["target"]]
            got = seen[mark]
            expect(got == wanted[:len(got)], lambda: f"DISAGREEMENT seed {seed}: {mutant!r}\n  the origin saw {got}\n  a careful reader sees {wanted}")
            tally["passed whole" if len(got) == len(wanted) and wanted else "stricter" if len(got) < len(wanted) else "refused"] += 1
        # What carries no mark: a mutant's own damage to the path, or a smuggled request.
        legal = [as_the_origin_should(request) for mutant in batch.values() for request in read_stream(mutant)[0] if for_the_origin(request)]
        for stranger in strangers:
            expect(stranger in legal, lambda: f"SMUGGLED, seed {seed}: the origin saw {stranger}")

    with Gateway(origin.port) as gateway:
        origin.respond = lambda request: answer(200, [], b"ok")
        before = gateway.resident_mb()
        for first in range(0, count, 100):
            checks.run(judge, first)
            if len(checks.failed) > 3:
                break

        def alive():
            """The gateway lives, its memory is bounded, and the mutants were neither all refused nor all passed"""
            expect(gateway.process.poll() is None and gateway.client().get("/health").status == 200, "the gateway died")
            limit_mb = 400 if os.environ.get("SHOP_SANITIZED") else 30  # a sanitizer keeps what was freed for a while
            expect(gateway.resident_mb() - before < limit_mb, f"resident memory rose from {before:.0f} to {gateway.resident_mb():.0f} MB")
            total = sum(tally.values())
            expect(tally["passed whole"] > total * 0.1 and tally["refused"] + tally["stricter"] > total * 0.1, f"{tally}")

        checks.run(alive)
    origin.close()
    print(f"  {tally}")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
