#!/usr/bin/env python3
"""The gateway between a hostile client and a broken or hostile service: tests/security/proxy.py"""
import sys
import time

from wire import Checks, Connection, expect, message_of
from origin import Gateway, Origin, answer
from shop import free_port

checks = Checks("proxy")


def fields(request, name):
    return [value.decode("latin-1") for key, value in request["headers"] if key.decode() == name]


def ask(gateway, text, head_only=False):
    with Connection(gateway.port) as connection:
        connection.send(text)
        return connection.answer(head_only)


def get(path, more="", method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: shop.test\r\n{more}\r\n"


def one_request(origin):
    found = origin.take()
    expect(len(found) == 1, f"the service saw {len(found)} requests")
    return found[0]


def headers_in(gateway, origin):
    """Hop-by-hop, connection-named and internal fields stay outside; what clients say of themselves is replaced"""
    hostile = ("Connection: keep-alive, X-Named\r\nX-Named: 1\r\nConnection: X-Second, Authorization\r\nX-Second: 1\r\nKeep-Alive: timeout=5\r\n"
               "Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-T\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
               "X-Internal-Token: guessed\r\nX-Internal-Service: order-service\r\nx-internal-anything: 1\r\nX-Request-Budget-Ms: 1\r\n"
               "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil.test\r\nForwarded: for=6.6.6.6\r\n"
               "Authorization: Bearer x\r\nX-Custom: kept\r\nAccept-Language: fr\r\n")
    expect(ask(gateway, get("/products/id/1?a=%20b&c=d", hostile))[0] == 200, "not passed on")
    request = one_request(origin)
    expect(request["method"] == b"GET" and request["target"] == b"/id/1?a=%20b&c=d", f"target {request['target']}")
    for name in ("connection", "x-named", "x-second", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade",
                 "x-internal-anything", "forwarded", "authorization"):
        expect(not fields(request, name), f"{name} was passed on: {fields(request, name)}")
    expect(fields(request, "x-internal-token") == ["a-token-for-services-only"], "the client's internal token")
    expect(fields(request, "x-internal-service") == ["api-gateway"], "the client's internal name")
    expect(fields(request, "x-forwarded-for") == ["127.0.0.1"], f"{fields(request, 'x-forwarded-for')}")
    expect(fields(request, "x-forwarded-proto") == ["http"] and fields(request, "x-forwarded-host") == ["shop.test"], "X-Forwarded-*")
    expect(int(fields(request, "x-request-budget-ms")[0]) > 1000, "the client set the deadline")
    expect(fields(request, "x-custom") == ["kept"] and fields(request, "accept-language") == ["fr"], "an innocent field is missing")
    expect(len(fields(request, "host")) == 1 and not fields(request, "content-length") and not fields(request, "transfer-encoding"), "framing")


def trace(gateway, origin):
    """A valid trace goes on under a new span, an invalid one is replaced; the request id comes back"""
    trace_id, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    found = ask(gateway, get("/products/", f"traceparent: 00-{trace_id}-{span}-01\r\nX-Request-Id: order-66.a_b\r\n"))
    expect(found[1]["x-request-id"] == "order-66.a_b", "the request id is not echoed")
    request = one_request(origin)
    parts = fields(request, "traceparent")[0].split("-")
    expect(parts[1] == trace_id and parts[2] not in (span, "0" * 16) and parts[3] == "01", f"{parts}")
    expect(fields(request, "x-request-id") == ["order-66.a_b"], "the request id is not passed on")
    for bad in (f"00-{'0' * 32}-{span}-01", f"00-{trace_id}-{'0' * 16}-01", f"ff-{trace_id}-{span}-01", f"00-{trace_id.upper()}-{span}-01", "x", f"00-{trace_id}-{span}",
                f"00-{trace_id}-{span}-01-x"):
        ask(gateway, get("/products/", f"traceparent: {bad}\r\nX-Request-Id: {'x' * 200}\r\n"))
        request = one_request(origin)
        parts = fields(request, "traceparent")[0].split("-")
        expect(len(parts) == 4 and parts[1] not in (trace_id, "0" * 32) and len(parts[1]) == 32, f"{bad} became {parts}")
        expect(len(fields(request, "x-request-id")[0]) <= 100, "an endless request id was passed on")
    ask(gateway, get("/products/", f"traceparent: 01-{trace_id}-{span}-01-later\r\n"))
    expect(fields(one_request(origin), "traceparent")[0].split("-")[1] == trace_id, "a later version's trace is lost")


def headers_out(gateway, origin):
    """The service's hop-by-hop and connection-named fields stay inside"""
    origin.respond = lambda request: answer(200, ["Connection: keep-alive, X-Named", "X-Named: 1", "Connection: X-Second", "X-Second: 1", "Keep-Alive: timeout=5",
                                                  "Proxy-Authenticate: x", "Upgrade: h2c", "X-Internal-Note: secret", "X-Kept: 1", "Date: yesterday"], b"{}")
    status, headers, body = ask(gateway, get("/products/"))
    for name in ("x-named", "x-second", "keep-alive", "proxy-authenticate", "upgrade", "x-internal-note"):
        expect(name not in headers, f"{name}: {headers.get(name)}")
    expect(status == 200 and body == b"{}" and headers["x-kept"] == "1" and headers["date"] != "yesterday", f"{headers}")


def bodies(gateway, origin):
    """Bodies arrive whole, sized as sized and chunked as chunked, in both directions"""
    origin.respond = lambda request: answer(200, [], request["body"])
    big = b"0123456789abcdef" * 12500  # 200 kB
    for body in (b"", b"x", b"{}" * 700, big):
        sized = get("/products/", f"Content-Length: {len(body)}\r\n", "POST").encode() + body
        found = ask(gateway, sized)
        request = one_request(origin)
        expect(found[0] == 200 and found[2] == body and request["body"] == body, f"sized, {len(body)} bytes")
        expect(fields(request, "content-length") == [str(len(body))] and not fields(request, "transfer-encoding"), "framing of a sized body")
        pieces = b"".join(b"%x;e=1\r\n%s\r\n" % (len(body[i:i + 3000]), body[i:i + 3000]) for i in range(0, len(body), 3000))
        found = ask(gateway, get("/products/", "Transfer-Encoding: chunked\r\n", "POST").encode() + pieces + b"0\r\nX-Trailer: 1\r\n\r\n")
        request = one_request(origin)
        expect(found[0] == 200 and found[2] == body and request["body"] == body, f"chunked, {len(body)} bytes")
        expect(fields(request, "transfer-encoding") == ["chunked"] and not fields(request, "content-length"), "framing of a chunked body")
    origin.respond = lambda request: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n", b"6\r\n world\r\n0\r\nX-T: 1\r\n\r\n"]
    found = ask(gateway, get("/products/"))
    expect(found[2] == b"hello world" and found[1].get("transfer-encoding") == "chunked" and "content-length" not in found[1], f"{found}")
    origin.respond = lambda request: [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", None]
    found = ask(gateway, get("/products/"))
    expect(found[0] == 200 and found[2] == b"until the end", f"a body without length: {found}")
    origin.respond = lambda request: answer(200, [], big * 20)
    expect(ask(gateway, get("/products/"))[2] == big * 20, "4 MB are not the same")
    origin.take()


def interim(gateway, origin):
    """Interim answers are not the answer"""
    origin.respond = lambda request: [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", answer(200, [], b"done")]
    found = ask(gateway, get("/products/"))
    expect(found[0] == 200 and found[2] == b"done" and "link" not in found[1], f"{found}")
    origin.respond = lambda request: [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", b"not HTTP any more\r\n\r\n"]
    found = ask(gateway, get("/products/", "Connection: Upgrade\r\nUpgrade: h2c\r\n"))
    expect(found[0] == 502, f"an upgrade that nobody asked for: {found}")


def hang_ups(gateway, origin):
    """A service that hangs up is a 502 with a message, or, after its answer began, a broken connection"""
    for what, pieces in {"at once": [None], "in the head": [b"HTTP/1.1 200 OK\r\nContent-Le", None], "in a small body": [answer(200, [], b"x" * 500)[:-100], None]}.items():
        origin.respond = lambda request, pieces=pieces: pieces
        found = ask(gateway, get("/products/", method="POST").replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n{}"))
        expect(found and found[0] == 502 and message_of(found[2]), f"{what}: {found}")
    origin.respond = lambda request: [answer(200, [], b"x" * 300_000)[:200_000], None]
    expect(ask(gateway, get("/products/")) is None, "half a large answer looks complete")
    origin.respond = lambda request: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", None]
    expect(ask(gateway, get("/products/")) is None, "half a chunked answer looks complete")


def garbage(gateway, origin):
    """What is not HTTP is a 502, and nothing of it is passed on"""
    for what, raw in {
        "words": b"I am no web server\r\n\r\n", "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n", "another version": b"HTTP/3.0 200 OK\r\n\r\n",
        "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nsecret",
        "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nsecret",
        "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nsecret", "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        "NUL in a field": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n", "an endless head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        "binary": bytes(range(256)) * 4,
    }.items():
        origin.respond = lambda request, raw=raw: [raw, None]
        with Connection(gateway.port) as connection:
            connection.send(get("/products/"))
            data = connection.answer() if what != "a bad chunk" else connection.rest()
        if what == "a bad chunk":  # the head may have gone out before
            expect(b"secret" not in data, f"{what}: {data!r}")
        else:
            expect(data and data[0] == 502 and message_of(data[2]) and b"secret" not in data[2], f"{what}: {data}")


def crowded(gateway, origin):
    """What a full row of a service refused is not asked for again for a moment: the gateway refuses it, and nothing else"""
    order = get("/orders", "Content-Length: 2\r\n", "POST") + "{}"
    origin.respond = lambda request: answer(503, ["X-Internal-Crowded: 1", "Retry-After: 1"], b'{"message":"full"}')
    sent = 200
    with Connection(gateway.port) as connection:
        for _ in range(sent):
            connection.send(order)
            status, headers, body = connection.answer()
            expect(status == 503 and headers["retry-after"] == "1" and message_of(body) and "x-internal-crowded" not in headers, f"{status} {headers} {body}")
        seen = len(origin.take())
        expect(0 < seen < sent, f"of {sent} orders the service saw {seen}")
        for _ in range(20):
            connection.send(order)
            connection.answer()
            connection.send(get("/orders"))
            connection.answer()
        reads = sum(request["method"] == b"GET" for request in origin.take())
        expect(reads == 20, f"the service saw {reads} of 20 readings")
        time.sleep(0.1)
        origin.respond = lambda request: answer(201, [], b"placed")
        for _ in range(20):
            connection.send(order)
            expect(connection.answer()[0] == 201, "refused by a gateway whose service has room")
    expect(len(origin.take()) == 20, "orders did not arrive")
    origin.respond = lambda request: answer(503, ["Retry-After: 1"], b'{"message":"another reason"}')
    for _ in range(20):
        expect(ask(gateway, order)[2] == b'{"message":"another reason"}', "a refusal for another reason was not passed on")
    expect(len(origin.take()) == 20, "a refusal for another reason was taken for a full row")


def bodiless(gateway, origin):
    """HEAD, 204 and 304 have no body, whatever the service claims, and the connection goes on"""
    origin.respond = lambda request: answer(200, ["ETag: x"], b"")[:-4].replace(b"Content-Length: 0", b"Content-Length: 5000") + b"\r\n\r\n"
    with Connection(gateway.port) as connection:
        connection.send(get("/products/", method="HEAD"))
        found = connection.answer(head_only=True)
        expect(found and found[0] == 200 and found[1].get("content-length") == "5000", f"HEAD: {found}")
        for status in (204, 304):
            origin.respond = lambda request, status=status: answer(status, ["X-A: 1"], b"", length=False)
            connection.send(get("/products/"))
            found = connection.answer()
            expect(found[0] == status and "content-length" not in found[1] and "transfer-encoding" not in found[1], f"{found}")
        origin.respond = lambda request: answer(200, [], b"after")
        connection.send(get("/products/"))
        expect(connection.answer()[2] == b"after", "the connection is out of step")


def early(gateway, origin):
    """A service that refuses before it has read the body is heard"""
    origin.early = answer(413, ["Connection: close"], b'{"message":"too large"}')
    try:
        with Connection(gateway.port) as connection:
            connection.send(get("/products/", "Content-Length: 3000000\r\n", "POST"))
            try:
                for _ in range(30):
                    connection.send(b"x" * 100_000)
            except OSError:
                pass
            found = connection.answer()
        expect(found and found[0] == 413, f"{found}")
    finally:
        origin.early = None


def poison(gateway, origin):
    """Bytes that a service sends behind its answer never answer somebody else"""
    origin.respond = lambda request: [answer(200, [], b"mine") + answer(200, [], b"poison")]
    expect(ask(gateway, get("/products/"))[2] == b"mine", "the first answer")
    origin.respond = lambda request: [answer(200, [], b"clean")]
    for _ in range(5):
        expect(ask(gateway, get("/products/"))[2] == b"clean", "poisoned")
    late = iter([[answer(200, [], b"mine")]])

    def then_more(request):
        for piece in next(late, [answer(200, [], b"clean")]):
            yield piece
        time.sleep(0.05)
        yield answer(200, [], b"poison")

    origin.respond = lambda request: list(then_more(request))
    ask(gateway, get("/products/"))
    origin.respond = lambda request: [answer(200, [], b"clean")]
    time.sleep(0.15)
    for _ in range(5):
        expect(ask(gateway, get("/products/"))[2] == b"clean", "poisoned later")


def kept_connections(gateway, origin):
    """A kept connection that the service closed meanwhile costs no request, not even a POST"""
    origin.respond = lambda request: [answer(200, [], b"one"), None]  # closes without saying so
    ask(gateway, get("/products/"))
    time.sleep(0.1)
    origin.respond = lambda request: answer(201, [], b"two")
    origin.take()
    found = ask(gateway, get("/products/", "Content-Length: 2\r\n", "POST") + "{}")
    expect(found[0] == 201, f"{found}")
    expect(len(origin.take()) == 1, "sent twice")


def methods(gateway, origin):
    """Methods that nobody declares are not passed on; preflights are the gateway's"""
    origin.take()
    for method in ("BREW", "get", "TRACE", "PROPFIND"):
        found = ask(gateway, get("/products/", method=method))
        expect(found[0] == 405 and found[1].get("allow") and message_of(found[2]), f"{method}: {found}")
    expect(ask(gateway, get("/products/", "Origin: http://a.test\r\nAccess-Control-Request-Headers: x-custom\r\n", "OPTIONS"))[0] == 204, "preflight")
    expect(not origin.take(), "the service saw one of them")


def hidden(gateway, origin):
    """Internal paths do not exist outside, in no spelling; nor does a service's /metrics"""
    origin.take()
    for path in ("/products/internal/stock/reserve", "/products/INTERNAL/stock/reserve", "/products/%69nternal/stock/reserve", "/products/%49NTERN%41L/x",
                 "/products//internal/x", "/products/x/internal", "/products/internal?x=1", "/products/internal/", "/auth/users/internal/total-count",
                 "/orders/internal/verify-purchase?userId=1", "/products/currencies/internal/rates/EUR", "/products/metrics", "/auth/metrics", "/internal",
                 "/products/internal;x=1/stock/reserve", "/products/%69%6e%74%65%72%6e%61%6c/x", "/products/metrics/", "/products//metrics", "/products/%6detrics"):
        for method in ("GET", "POST", "HEAD"):
            found = ask(gateway, get(path, "Content-Length: 2\r\n" if method == "POST" else "", method) + ("{}" if method == "POST" else ""), method == "HEAD")
            expect(found[0] == 404, f"{method} {path}: {found}")
    seen = [request["target"] for request in origin.take()]
    expect(not seen, f"the service saw {seen}")


def in_order(gateway, origin):
    """Pipelined requests to different services are answered in order"""
    origin.respond = lambda request: answer(200, [], request["target"])
    paths = [f"/{('products', 'orders', 'carts')[i % 3]}/{i}" for i in range(60)]
    with Connection(gateway.port) as connection:
        connection.send("".join(get(path) for path in paths))
        for path in paths:
            found = connection.answer()
            expect(found[2].decode() == "/" + path.split("/")[2], f"{path}: {found}")
    origin.take()


def prefixes(gateway, origin):
    """A prefix is taken off once; what only looks like one is not passed on"""
    origin.respond = lambda request: answer(200, [], request["target"])
    for path, seen in {"/products": "/", "/products/": "/", "/products/products/x": "/products/x", "/products?x=1": "/?x=1", "/images/a.png": "/a.png",
                       "/products/sku/A%2FB%5cC": "/sku/A%2FB%5cC"}.items():
        found = ask(gateway, get(path))
        expect(found[0] == 200 and found[2].decode() == seen, f"{path}: {found}")
    origin.take()
    for path in ("/productsx", "/product", "//products", "/PRODUCTS", "/%70roducts", "/nothing", "/products;x"):
        found = ask(gateway, get(path))
        expect(found[0] == 404 and message_of(found[2]), f"{path}: {found}")
    expect(not origin.take(), "the service saw one of them")


def nobody(_gateway, _origin):
    """A service that cannot be reached is a 503 that names it"""
    with Gateway(free_port()) as alone:
        found = ask(alone, get("/orders/"))
        expect(found[0] == 503 and "order-service" in message_of(found[2]) and "retry-after" in found[1], f"{found}")


def main():
    origin = Origin()
    with Gateway(origin.port) as gateway:
        for check in (headers_in, trace, headers_out, bodies, interim, hang_ups, garbage, crowded, bodiless, early, poison, kept_connections, methods, hidden, in_order,
                      prefixes, nobody):
            origin.respond = lambda request: answer()
            origin.take()
            checks.run(check, gateway, origin)
        expect(gateway.process.poll() is None, "the gateway died")
    origin.close()
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
