#!/usr/bin/env python3
"""Hostile request heads, and odd ones that are legal: tests/security/heads.py

Every hostile head is followed by a whole innocent request for /canary-N. It must end in one 400 and a closed connection; the canary
must never become a request: not on the wire, not in the log, not in the metrics.
"""
import json
import sys

from wire import Checks, Connection, answers, as_bytes, expect, message_of, metric
from shop import opened

OK = "Host: shop.test\r\n"


def head(line="GET /health HTTP/1.1", fields=OK, body=""):
    return as_bytes(f"{line}\r\n{fields}\r\n{body}")


def post(fields, body="", line="POST /auth/login HTTP/1.1"):
    return head(line, OK + "Content-Type: application/json\r\n" + fields, body)


CHUNKED = "Transfer-Encoding: chunked\r\n"
EMPTY = "0\r\n\r\n"

REFUSED = {
    # request line (RFC 9112, 3)
    "two spaces after the method": head("GET  /health HTTP/1.1"),
    "two spaces before the version": head("GET /health  HTTP/1.1"),
    "a space at the end of the line": head("GET /health HTTP/1.1 "),
    "a space before the method": head(" GET /health HTTP/1.1"),
    "tabs instead of spaces": head("GET\t/health\tHTTP/1.1"),
    "a tab beside a space": head("GET \t/health HTTP/1.1"),
    "vertical tab instead of a space": head("GET\x0b/health HTTP/1.1"),
    "no version": head("GET /health"),
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/0.9 spelt out": head("GET /health HTTP/0.9"),
    "HTTP/1.32": head("GET /health HTTP/1.32"),
    "HTTP/1.2": head("GET /health HTTP/1.2"),
    "HTTP/2.0": head("GET /health HTTP/2.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/01.1": head("GET /health HTTP/01.1"),
    "HTTP/1,1": head("GET /health HTTP/1,1"),
    "a version in lower case": head("GET /health http/1.1"),
    "a version of another protocol": head("GET /health ICY/1.1"),
    "a version glued to the target": head("GET /healthHTTP/1.1"),
    "four parts": head("GET /health /x HTTP/1.1"),
    "a method that is no token": head("GE(T /health HTTP/1.1"),
    "a method with a colon": head("GET: /health HTTP/1.1"),
    "an empty method": head(" /health HTTP/1.1"),
    "a method with NUL": head("GET\x00 /health HTTP/1.1"),
    "a method of 300 letters": head("G" * 300 + " /health HTTP/1.1"),
    "CONNECT": head("CONNECT shop.test:443 HTTP/1.1"),
    # target
    "NUL in the target": head("GET /hea\x00lth HTTP/1.1"),
    "bare CR in the request line": b"GET /health\rHTTP/1.1\r\nHost: shop.test\r\n\r\n",
    "raw UTF-8 in the target": head("GET /h\xc3\xa9 HTTP/1.1"),
    "DEL in the target": head("GET /h\x7f HTTP/1.1"),
    "a fragment in the target": head("GET /health#x HTTP/1.1"),
    "a quote in the target": head('GET /"health" HTTP/1.1'),
    "angle brackets in the target": head("GET /<health> HTTP/1.1"),
    "a backslash in the target": head("GET /\\health HTTP/1.1"),
    "no slash in front": head("GET health HTTP/1.1"),
    "* with GET": head("GET * HTTP/1.1"),
    "authority form": head("GET shop.test:80 HTTP/1.1"),
    "another scheme": head("GET ftp://shop.test/health HTTP/1.1"),
    "a file": head("GET file:///etc/passwd HTTP/1.1"),
    "absolute form with another host": head("GET http://other.test/health HTTP/1.1"),
    "absolute form with another port": head("GET http://shop.test:81/health HTTP/1.1"),
    "absolute form with user and password": head("GET http://shop.test@other.test/health HTTP/1.1"),
    "absolute form without host": head("GET http:///health HTTP/1.1"),
    "a parent segment": head("GET /products/../health HTTP/1.1"),
    "an encoded parent segment": head("GET /products/%2e%2e/health HTTP/1.1"),
    "a half encoded parent segment": head("GET /products/.%2E/health HTTP/1.1"),
    "a parent segment with a parameter": head("GET /products/..;/health HTTP/1.1"),
    "a dot segment": head("GET /./health HTTP/1.1"),
    "a parent at the end": head("GET /products/.. HTTP/1.1"),
    "an encoded slash": head("GET /products%2fid HTTP/1.1"),
    "an encoded backslash": head("GET /products%5Cid HTTP/1.1"),
    "an encoded slash before a SKU": head("GET /products/sku%2fA HTTP/1.1"),
    "an encoded slash below another spelling of the SKU's path": head("GET /products/s%6bu/A%2fB HTTP/1.1"),
    "an encoded slash beside the catalogue": head("GET /auth/sku/A%2fB HTTP/1.1"),
    "a parent segment behind a SKU's slash": head("GET /products/sku/A%2f..%2fB HTTP/1.1"),
    "a parent segment before a SKU's slash": head("GET /products/sku/..%2finternal HTTP/1.1"),
    "a parent segment before a SKU's backslash": head("GET /products/sku/%2e%2e%5cB HTTP/1.1"),
    "an encoded NUL": head("GET /products/%00 HTTP/1.1"),
    "a percent sign alone": head("GET /products/% HTTP/1.1"),
    "a percent sign before no octet": head("GET /products/%zz HTTP/1.1"),
    # host
    "no Host": head(fields=""),
    "no Host in HTTP/1.0": head("GET /health HTTP/1.0", ""),
    "two equal Hosts": head(fields=OK + OK),
    "two different Hosts": head(fields=OK + "Host: other.test\r\n"),
    "two Hosts in different case": head(fields=OK + "hOST: other.test\r\n"),
    "two hosts in one field": head(fields="Host: shop.test, other.test\r\n"),
    "an empty Host": head(fields="Host:\r\n"),
    "a Host with a path": head(fields="Host: shop.test/x\r\n"),
    "a Host with a user": head(fields="Host: a@shop.test\r\n"),
    "a Host with a space": head(fields="Host: shop.test other.test\r\n"),
    "a Host of 300 letters": head(fields="Host: " + "a" * 300 + "\r\n"),
    "a space before Host's colon": head(fields="Host : shop.test\r\n"),
    # fields
    "a space before a colon": head(fields=OK + "X-A : 1\r\n"),
    "a tab before a colon": head(fields=OK + "X-A\t: 1\r\n"),
    "a field name with a space": head(fields=OK + "X A: 1\r\n"),
    "an empty field name": head(fields=OK + ": 1\r\n"),
    "no colon": head(fields=OK + "X-A\r\n"),
    "a field name in Latin-1": head(fields=OK + "X-\xe9: 1\r\n"),
    "a field name with brackets": head(fields=OK + "X[a]: 1\r\n"),
    "obs-fold with a space": head(fields=OK + "X-A: 1\r\n 2\r\n"),
    "obs-fold with a tab": head(fields=OK + "X-A: 1\r\n\t2\r\n"),
    "a fold before the first field": head(fields=" X-A: 1\r\n" + OK),
    "a line of spaces": head(fields=OK + "  \r\n"),
    "NUL in a value": head(fields=OK + "X-A: a\x00b\r\n"),
    "BEL in a value": head(fields=OK + "X-A: a\x07b\r\n"),
    "DEL in a value": head(fields=OK + "X-A: a\x7fb\r\n"),
    "bare CR in a value": head(fields=OK + "X-A: a\rb\r\n"),
    "bare LF in a value": head(fields=OK + "X-A: a\nX-B: b\r\n"),
    "bare LF ends the request line": b"GET /health HTTP/1.1\nHost: shop.test\r\n\r\n",
    "bare LF ends a field": b"GET /health HTTP/1.1\r\nHost: shop.test\nX-A: 1\r\n\r\n",
    "CR CR LF ends a field": b"GET /health HTTP/1.1\r\nHost: shop.test\r\r\n\r\n",
    "101 fields": head(fields=OK + "X-A: 1\r\n" * 100),
    # Content-Length (RFC 9112, 6.2 and 6.3)
    "two equal lengths": post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
    "two different lengths": post("Content-Length: 2\r\nContent-Length: 40\r\n", "{}"),
    "two equal lengths in one field": post("Content-Length: 2, 2\r\n", "{}"),
    "two different lengths in one field": post("Content-Length: 2,40\r\n", "{}"),
    "an empty length": post("Content-Length:\r\n"),
    "a signed length": post("Content-Length: +2\r\n", "{}"),
    "a negative length": post("Content-Length: -1\r\n"),
    "minus nought": post("Content-Length: -0\r\n"),
    "a length in hexadecimal": post("Content-Length: 0x2\r\n", "{}"),
    "a length with an underscore": post("Content-Length: 1_0\r\n", "{}        "),
    "a length with a space inside": post("Content-Length: 1 0\r\n", "{}        "),
    "a length with a point": post("Content-Length: 2.0\r\n", "{}"),
    "a length with an exponent": post("Content-Length: 1e1\r\n", "{}        "),
    "a length beyond 64 bits": post("Content-Length: 18446744073709551618\r\n", "{}"),
    "a length of 40 digits": post("Content-Length: " + "0" * 39 + "2\r\n", "{}"),
    "a length with a comma": post("Content-Length: 2,\r\n", "{}"),
    "a length in quotes": post('Content-Length: "2"\r\n', "{}"),
    "a length with a letter": post("Content-Length: 2a\r\n", "{}"),
    "a length after a vertical tab": post("Content-Length: \x0b2\r\n", "{}"),
    "a length after a no-break space": post("Content-Length: \xa02\r\n", "{}"),
    "a space before the length's colon": post("Content-Length : 2\r\n", "{}"),
    "a length on a folded line": post("X-A: 1\r\n Content-Length: 2\r\n", "{}"),
    "a folded length": post("Content-Length:\r\n 2\r\n", "{}"),
    "Content_Length": post("Content_Length: 2\r\n", "{}"),
    "CONTENT_LENGTH beside the right one": post("Content-Length: 2\r\nCONTENT_LENGTH: 40\r\n", "{}"),
    "a space for the hyphen": post("Content Length: 2\r\n", "{}"),
    "NUL after the name": post("Content-Length\x00: 2\r\n", "{}"),
    # Transfer-Encoding (RFC 9112, 6.1)
    "length and chunked": post("Content-Length: 5\r\n" + CHUNKED, EMPTY),
    "chunked and length": post(CHUNKED + "Content-Length: 5\r\n", EMPTY),
    "length nought and chunked": post("Content-Length: 0\r\n" + CHUNKED, EMPTY),
    "xchunked": post("Transfer-Encoding: xchunked\r\n", EMPTY),
    "chunkedx": post("Transfer-Encoding: chunkedx\r\n", EMPTY),
    "chunked in capitals": post("Transfer-Encoding: CHUNKED\r\n", EMPTY),
    "chunked in mixed case": post("Transfer-Encoding: cHuNkEd\r\n", EMPTY),
    "chunked twice": post("Transfer-Encoding: chunked, chunked\r\n", EMPTY),
    "chunked in two fields": post(CHUNKED + CHUNKED, EMPTY),
    "chunked, then another in a second field": post(CHUNKED + "Transfer-Encoding: cow\r\n", EMPTY),
    "identity, chunked": post("Transfer-Encoding: identity, chunked\r\n", EMPTY),
    "chunked, identity": post("Transfer-Encoding: chunked, identity\r\n", EMPTY),
    "identity": post("Transfer-Encoding: identity\r\n", EMPTY),
    "gzip, chunked": post("Transfer-Encoding: gzip, chunked\r\n", EMPTY),
    "gzip": post("Transfer-Encoding: gzip\r\n", EMPTY),
    "an empty coding": post("Transfer-Encoding:\r\n", EMPTY),
    "a comma before chunked": post("Transfer-Encoding: , chunked\r\n", EMPTY),
    "a comma after chunked": post("Transfer-Encoding: chunked,\r\n", EMPTY),
    "chunked with a parameter": post("Transfer-Encoding: chunked;q=1\r\n", EMPTY),
    "chunked in quotes": post('Transfer-Encoding: "chunked"\r\n', EMPTY),
    "chunked after a vertical tab": post("Transfer-Encoding: \x0bchunked\r\n", EMPTY),
    "chunked before a form feed": post("Transfer-Encoding: chunked\x0c\r\n", EMPTY),
    "chunked after NUL": post("Transfer-Encoding: \x00chunked\r\n", EMPTY),
    "chunked after a no-break space": post("Transfer-Encoding: \xa0chunked\r\n", EMPTY),
    "chunked before bare CR": post("Transfer-Encoding: chunked\r\r\n", EMPTY),
    "a space before the coding's colon": post("Transfer-Encoding : chunked\r\n", EMPTY),
    "a tab before the coding's colon": post("Transfer-Encoding\t: chunked\r\n", EMPTY),
    "a folded coding": post("Transfer-Encoding:\r\n chunked\r\n", EMPTY),
    "a coding on a folded line": post("X-A: 1\r\n Transfer-Encoding: chunked\r\n", EMPTY),
    "a coding behind bare LF": post("X-A: 1\nTransfer-Encoding: chunked\r\n", EMPTY),
    "a coding behind bare CR": post("X-A: 1\rTransfer-Encoding: chunked\r\n", EMPTY),
    "Transfer_Encoding": post("Transfer_Encoding: chunked\r\n", EMPTY),
    "Transfer_Encoding beside a length": post("Content-Length: 2\r\ntransfer_encoding: chunked\r\n", "{}"),
    "a space for the hyphen of the coding": post("Transfer Encoding: chunked\r\n", EMPTY),
    "a space in front of the coding": post(" Transfer-Encoding: chunked\r\n", EMPTY),
    "chunked in HTTP/1.0": post(CHUNKED, EMPTY, "POST /auth/login HTTP/1.0"),
    "chunked in HTTP/1.0 kept alive": post(CHUNKED + "Connection: keep-alive\r\n", EMPTY, "POST /auth/login HTTP/1.0"),
    "an underscore in Host": head(fields=OK.replace("Host", "HOST") + "X-A: 1\r\n" + "Host_: x\r\nTransfer_Encoding: x\r\n"),
}

# Bodies whose chunks two servers could cut differently: refused after the head, with the connection closed.
BROKEN_CHUNKS = {
    "a size in hexadecimal notation": "0x2\r\n{}\r\n0\r\n\r\n",
    "a signed size": "+2\r\n{}\r\n0\r\n\r\n",
    "a negative size": "-2\r\n{}\r\n0\r\n\r\n",
    "an empty size": "\r\n{}\r\n0\r\n\r\n",
    "a size beyond 64 bits": "10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a space before the size": " 2\r\n{}\r\n0\r\n\r\n",
    "bare LF after the size": "2\n{}\r\n0\r\n\r\n",
    "bare CR after the size": "2\r{}\r\n0\r\n\r\n",
    "bare LF in an extension": "2;a\nb\r\n{}\r\n0\r\n\r\n",
    "no line end after the data": "2\r\n{}0\r\n\r\n",
    "bare LF after the data": "2\r\n{}\n0\r\n\r\n",
    "data longer than the size": "1\r\n{}\r\n0\r\n\r\n",
    "a size that is no number": "zz\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": "0_2\r\n{}\r\n0\r\n\r\n",
    "NUL in the size": "2\x00\r\n{}\r\n0\r\n\r\n",
    "a fold in the trailer": "2\r\n{}\r\n0\r\nX-A: 1\r\n 2\r\n\r\n",
    "a trailer without a colon": "2\r\n{}\r\n0\r\nX-A\r\n\r\n",
    "bare LF in the trailer": "2\r\n{}\r\n0\r\nX-A: 1\n\r\n\r\n",
}

LOGIN = '{"email":"nobody@shop.test","password":"not-the-one"}'
SIZED = f"Content-Length: {len(LOGIN)}\r\n"
AS_CHUNKS = f"5\r\n{LOGIN[:5]}\r\n{len(LOGIN) - 5:X};name=\"va;lue\"\r\n{LOGIN[5:]}\r\n000\r\nX-Trailer: yes\r\n\r\n"

# name -> (bytes, statuses in order)
ACCEPTED = {
    "plain": (head(), [200]),
    "field names in any case": (head(fields="hOsT: shop.test\r\nACCEPT: */*\r\n"), [200]),
    "an empty value": (head(fields=OK + "X-Empty:\r\nX-Blank:  \t\r\n"), [200]),
    "Latin-1 in a value": (head(fields=OK + "X-Name: caf\xe9 \xa0\xff\r\n"), [200]),
    "UTF-8 in a value": (head(fields=OK + "X-Name: caf\u00c3\u00a9\r\n"), [200]),
    "tabs in a value": (head(fields=OK + "X-Name:\ta\tb\t\r\n"), [200]),
    "all characters of a token": (head(fields=OK + "X!#$%&'*+-.^`|~9: 1\r\n"), [200]),
    "an underscore in another name": (head(fields=OK + "X_Custom_Name: 1\r\n"), [200]),
    "no space after the colon": (head(fields="Host:shop.test\r\nAccept:*/*\r\n"), [200]),
    "a Host with a port": (head(fields="Host: shop.test:3000\r\n"), [200]),
    "a Host in IPv6": (head(fields="Host: [::1]:3000\r\n"), [200]),
    "absolute form of the same host": (head("GET http://shop.test/health HTTP/1.1"), [200]),
    "absolute form, host in capitals": (head("GET http://SHOP.test/health HTTP/1.1"), [200]),
    "OPTIONS *": (head("OPTIONS * HTTP/1.1"), [204]),
    "a query with odd characters": (head("GET /health?a=%20b&c[]=d;e&f=/../ HTTP/1.1"), [200]),
    "a long target": (head("GET /health?" + "a" * 8000 + " HTTP/1.1"), [200]),
    "100 fields": (head(fields=OK + "X-A: 1\r\n" * 99), [200]),
    "a head of nearly 16 KiB": (head(fields=OK + f"X-A: {'a' * 16000}\r\n"), [200]),
    "a method in lower case is another method": (head("get /health HTTP/1.1"), [405]),
    "a method nobody knows": (head("BREW /health HTTP/1.1"), [405]),
    "HTTP/1.0 ends the connection": (head("GET /health HTTP/1.0"), [200]),
    "HTTP/1.0 with a length": (post(SIZED, LOGIN, "POST /auth/login HTTP/1.0"), [401]),
    "a length with leading noughts": (post(f"Content-Length: 00{len(LOGIN)}\r\n", LOGIN), [401]),
    "blanks around the length": (post(f"Content-Length: \t {len(LOGIN)}\t \r\n", LOGIN), [401]),
    "chunks, an extension and a trailer": (post(CHUNKED, AS_CHUNKS), [401]),
    "GET with a body": (head(fields=OK + "Content-Length: 5\r\n", body="hello"), [200]),
    "GET with chunks": (head(fields=OK + CHUNKED, body="5\r\nhello\r\n0\r\n\r\n"), [200]),
    "pipelined, in order": (head() + head("GET /nowhere HTTP/1.1") + post(SIZED, LOGIN) + head("HEAD /health HTTP/1.1"), [200, 404, 401, "HEAD 200"]),
    "chunks, then the next request": (post(CHUNKED, AS_CHUNKS) + head(), [401, 200]),
}


def refused(port, payload, number, wanted=400):
    with Connection(port) as connection:
        connection.send(payload + head(f"GET /canary-{number} HTTP/1.1"))
        data = connection.rest()
    found, left = answers(data)
    expect(len(found) == 1 and not left, f"one answer is wanted: {data[:400]!r}")
    status, headers, body = found[0]
    expect(status == wanted, f"{status} instead of {wanted}: {data[:300]!r}")
    expect(json.loads(body)["status"] == status, f"the body tells another status: {body[:300]!r}")
    expect(headers.get("x-request-id") == json.loads(body)["requestId"], f"no id: {headers}")
    expect(headers.get("access-control-allow-origin") == "*", f"a browser may not read why: {headers}")
    expect(headers.get("connection") == "close", f"the answer does not say close: {headers}")
    expect(message_of(body), f"no message: {body[:200]!r}")


def accepted(port, payload, statuses):
    with Connection(port) as connection:
        connection.send(payload)
        for wanted in statuses:
            head_only = str(wanted).startswith("HEAD ")
            answer = connection.answer(head_only)
            expect(answer, f"the connection ended before {wanted}")
            expect(answer[0] == int(str(wanted).removeprefix("HEAD ")), f"{answer[0]} instead of {wanted}: {answer[2][:300]!r}")
        if b"HTTP/1.0" in payload.split(b"\r\n")[0] or answer[1].get("connection") == "close":
            expect(b"HTTP/1.0" in payload or payload.startswith(b"GET /health HTTP/1.1\r\nHost: shop.test\r\nTransfer"), "the connection ends without need")
            expect(connection.closed(), "the connection is left open")
        else:  # the connection still works, and the canary is the next answer
            connection.send(head("GET /still-here HTTP/1.1"))
            expect(connection.answer()[0] == 404, "the connection does not go on")


def expectation(shop):
    """Expect: 100-continue is answered before the body, and a refused body is never asked for"""
    with Connection(shop.port) as connection:
        connection.send(post(SIZED + "Expect: 100-continue\r\n"))
        expect(connection.answer()[0] == 100, "no 100 Continue")
        connection.send(LOGIN)
        expect(connection.answer()[0] == 401, "the body was not read")
    with Connection(shop.port) as connection:
        connection.send(post("Content-Length: 900000\r\nExpect: 100-continue\r\n"))
        found = connection.answer()
        if found[0] == 100 and shop.mode != "one process":  # a gateway does not know the limits of the services behind it
            connection.send(b"x" * 900_000)
            found = connection.answer()
        expect(found[0] == 413, f"a body that is too large was asked for: {found}")
        expect(connection.closed(), "the connection must end: the body may or may not come")


def split_anywhere(port):
    """A head that comes byte by byte is the same head"""
    payload = post(CHUNKED, AS_CHUNKS)
    with Connection(port) as connection:
        for i in range(len(payload)):
            connection.send(payload[i:i + 1])
        expect(connection.answer()[0] == 401, "not understood")


def bytes_of_no_text(port):
    """Bytes that are no UTF-8, wherever a request may hold some: the answer is JSON in UTF-8 all the same"""
    spots = [head("GET /products HTTP/1.1", OK + f"{name}: \xe9\xff\r\n") for name in ("X-Currency", "Accept-Language", "X-Request-Id", "Origin", "If-None-Match", "traceparent")]
    spots += [head(f"GET {path} HTTP/1.1") for path in ("/\x25ff", "/products/\x25ff", "/products/sku/\x25ff", "/products/id/\x25ff", "/products?q=\x25ff", "/products?sortBy=\x25e9",
                                                         "/products?attributes[\x25ff][]=x", "/search/products?q=\x25ff", "/search/products?category=\x25ff", "/carts/\x25ff",
                                                         "/images/\x25ff.png", "/orders/x?guest_token=\x25ff", "/auth/\x25ff")]
    spots += [post(f"Idempotency-Key: \xe9\xff\r\nContent-Length: {len(body)}\r\n", body, "POST /orders HTTP/1.1") for body in ('{"phone": "\xff"}', '{"\xff": 1}', "{}")]
    for spot in spots:
        with Connection(port) as connection:
            connection.send(spot)
            status, headers, body = connection.answer()
        expect(status < 500, f"{spot[:80]!r}: {status} {body[:200]!r}")
        json.loads(body.decode("utf-8"))
        expect("charset=utf-8" in headers["content-type"], f"{headers}")


def no_canary(shop, refused_before, count):
    """The gate counted every hostile head, and no canary became a request"""
    text = shop.client().get("/metrics").text
    expect(metric(text, "http_heads_refused_total") - refused_before == count, "the metric does not count every refused head")
    if hasattr(shop, "log_lines"):
        seen = [line for line in shop.log_lines() if "canary" in line.get("path", "")]
        expect(not seen, f"smuggled: {seen[:3]}")
        expect([line for line in shop.log_lines() if line.get("path") == "/still-here"], "the log does not show paths: this test is blind")


def main():
    checks = Checks(f"heads ({len(REFUSED)} hostile, {len(BROKEN_CHUNKS)} broken bodies, {len(ACCEPTED)} odd but legal)")
    with opened(demo=False) as shop:
        before = metric(shop.client().get("/metrics").text, "http_heads_refused_total")

        def one(function, name, *arguments):
            def check():
                function(shop.port, *arguments)
            check.__doc__ = name
            checks.run(check)

        for number, (name, payload) in enumerate(REFUSED.items()):
            one(refused, f"refused: {name}", payload, number)
        one(refused, "refused: a head of 17 KiB", head(fields=OK + f"X-A: {'a' * 17000}\r\n"), "large", 431)
        for number, (name, chunks) in enumerate(BROKEN_CHUNKS.items()):
            one(refused, f"refused: {name}", post(CHUNKED, chunks), f"chunk-{number}")
        for name, (payload, statuses) in ACCEPTED.items():
            one(accepted, f"accepted: {name}", payload, statuses)
        checks.run(expectation, shop)
        checks.run(split_anywhere, shop.port)
        checks.run(bytes_of_no_text, shop.port)
        checks.run(no_canary, shop, before, len(REFUSED) + 1)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
