#!/usr/bin/env python3
"""Forged, stale and odd tokens: tests/security/tokens.py

Every forgery must be a 401 with a message on a route of every service, and the shop goes on. In one process the signing key is read
from the data folder, so that claims can be forged under a good signature too.
"""
import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import sys
import threading
import time

from wire import Checks, Connection, administrator, expect, message_of
from shop import opened

# --- P-256 and ES256 (FIPS 186-4, RFC 7518), for signing as an attacker would

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296, 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def es256(private, text):
    digest = int.from_bytes(hashlib.sha256(text).digest(), "big")
    k = secrets.randbelow(N - 1) + 1
    r = multiply(k, G)[0] % N
    return r.to_bytes(32, "big") + (pow(k, -1, N) * (digest + r * private) % N).to_bytes(32, "big")


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def from_b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def packed(value):
    return value if isinstance(value, (str, bytes)) else json.dumps(value, separators=(",", ":"))


def signed(private, header, payload):
    text = f"{b64(packed(header))}.{b64(packed(payload))}"
    return f"{text}.{b64(es256(private, text.encode()))}"


def key_of(shop):
    """The newest signing key of a shop in one process; None in a distributed stack, whose store is PostgreSQL."""
    path = getattr(shop, "data", None)
    if not path:
        return None
    with sqlite3.connect(f"file:{path}/auth.db?mode=ro", uri=True) as database:
        (pem,) = database.execute("SELECT pem FROM signing_keys ORDER BY created_at DESC LIMIT 1").fetchone()
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    at = der.index(b"\x02\x01\x01\x04\x20") + 5
    return int.from_bytes(der[at:at + 32], "big")


ROUTES = (("GET", "/auth/me"), ("GET", "/auth/users"), ("GET", "/orders/my-orders"), ("GET", "/products/promotions/all"))


def unsigned_forgeries(token, jwks):
    """Without the key. `token` is a good one."""
    header_text, payload_text, signature_text = token.split(".")
    header, payload = json.loads(from_b64(header_text)), json.loads(from_b64(payload_text))
    signature = from_b64(signature_text)
    own = secrets.randbelow(N - 1) + 1
    point = multiply(own, G)
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[0].to_bytes(32, "big")), "y": b64(point[1].to_bytes(32, "big"))}
    public = next(key for key in jwks["keys"] if key["kid"] == header["kid"])
    as_admin = {**payload, "role": "ADMIN", "permissions": ["read:user", "write:user", "read:promotion"]}
    last = signature_text[:-1] + chr(ord(signature_text[-1]) + 1)

    yield "no dots", "token"
    yield "one dot", f"{header_text}.{payload_text}"
    yield "four parts", token + ".x"
    yield "five parts, as encrypted ones have", token + ".x.y"
    yield "empty parts", ".."
    yield "an empty header", f".{payload_text}.{signature_text}"
    yield "an empty payload", f"{header_text}..{signature_text}"
    yield "a stripped signature", f"{header_text}.{payload_text}."
    for alg in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {alg!r} without signature", f"{b64(packed({'alg': alg, 'typ': 'JWT'}))}.{b64(packed(as_admin))}."
        yield f"alg {alg!r} with the signature of another", f"{b64(packed({**header, 'alg': alg}))}.{payload_text}.{signature_text}"
    secrets_tried = {"JWK": packed(public), "x": from_b64(public["x"]), "x and y": from_b64(public["x"]) + from_b64(public["y"]),
                     "point": b"\x04" + from_b64(public["x"]) + from_b64(public["y"]), "kid": public["kid"], "nothing": b"", "secret": b"secret"}
    for name, key in secrets_tried.items():
        for alg, function in (("HS256", "sha256"), ("HS512", "sha512")):
            text = f"{b64(packed({**header, 'alg': alg}))}.{b64(packed(as_admin))}"
            mac = hmac.new(key if isinstance(key, bytes) else key.encode(), text.encode(), function).digest()
            yield f"{alg} under the public key ({name})", f"{text}.{b64(mac)}"
    for alg in ("RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "es256", "ES256 "):
        yield f"alg {alg!r}", f"{b64(packed({**header, 'alg': alg}))}.{payload_text}.{signature_text}"
    yield "another payload", f"{header_text}.{b64(packed(as_admin))}.{signature_text}"
    yield "another header", f"{b64(packed({**header, 'x': 1}))}.{payload_text}.{signature_text}"
    yield "another's key under our kid", signed(own, header, as_admin)
    yield "another's key under its own kid", signed(own, {**header, "kid": "mine"}, as_admin)
    yield "a key inside the header", signed(own, {**header, "kid": "mine", "jwk": jwk}, as_admin)
    yield "a key inside the header under our kid", signed(own, {**header, "jwk": jwk}, as_admin)
    yield "a key elsewhere (jku)", signed(own, {**header, "jku": "http://127.0.0.1:9/jwks.json"}, as_admin)
    yield "a certificate elsewhere (x5u)", signed(own, {**header, "x5u": "http://127.0.0.1:9/x.pem"}, as_admin)
    for kid in ("../../../../dev/null", "/dev/null", "' OR '1'='1", "'; DROP TABLE signing_keys; --", "", None, 7, "a" * 3000, "\x00", ["x"], {"x": 1}):
        yield f"kid {str(kid)[:30]!r}", signed(own, {**header, "kid": kid}, as_admin)
    yield "no kid", signed(own, {"alg": "ES256", "typ": "JWT"}, as_admin)
    for name, (r, s) in {"nought": (0, 0), "r nought": (0, 1), "s nought": (1, 0), "one": (1, 1), "the order": (N, N), "beyond the order": (N + 1, N + 1), "all bits": ((1 << 256) - 1,) * 2}.items():
        yield f"a signature of {name}", f"{header_text}.{payload_text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    yield "half a signature", f"{header_text}.{payload_text}.{b64(signature[:32])}"
    yield "a longer signature", f"{header_text}.{payload_text}.{b64(signature + b'x')}"
    yield "r and s exchanged", f"{header_text}.{payload_text}.{b64(signature[32:] + signature[:32])}"
    yield "a bit of the signature", f"{header_text}.{payload_text}.{b64(bytes([signature[0] ^ 1]) + signature[1:])}"
    der = b"\x30\x44\x02\x20" + signature[:32] + b"\x02\x20" + signature[32:]
    yield "a signature in DER", f"{header_text}.{payload_text}.{b64(der)}"
    yield "base64 that is not canonical", f"{header_text}.{payload_text}.{last}"
    yield "padding", token + "=="
    yield "padding in the header", f"{header_text}=.{payload_text}.{signature_text}"
    yield "a blank inside", f"{header_text}. {payload_text}.{signature_text}"
    yield "a tab inside", f"{header_text}.{payload_text}.\t{signature_text}"
    yield "a comma and another", f"{token}, {token}"
    yield "the other alphabet", f"{header_text}.{payload_text}.{base64.b64encode(bytes([0xfb, 0xff]) * 32).decode().rstrip('=')}"
    yield "percent signs", token.replace(".", "%2E")
    yield "quotes", f'"{token}"'
    yield "NUL as text", token + "%00"
    yield "a header that is no JSON", f"{b64('not json')}.{payload_text}.{signature_text}"
    yield "a header that is an array", f"{b64('[]')}.{payload_text}.{signature_text}"
    yield "a header in UTF-16", f"{b64(packed(header).encode('utf-16'))}.{payload_text}.{signature_text}"
    yield "a deep header", f"{b64('[' * 3000)}.{payload_text}.{signature_text}"
    yield "a deep payload", f"{header_text}.{b64('{' + chr(34) + 'a' + chr(34) + ':' + '[' * 4000)}.{signature_text}"
    yield "12 kB", f"{header_text}.{b64('x' * 9000)}.{signature_text}"


def forgeries_with_the_key(private, token):
    header, payload = (json.loads(from_b64(part)) for part in token.split(".")[:2])
    now = int(time.time())
    without = lambda name: {key: value for key, value in payload.items() if key != name}
    yield "a critical extension", {**header, "crit": ["exp"]}, payload
    yield "no typ", {key: value for key, value in header.items() if key != "typ"}, payload
    yield "another typ", {**header, "typ": "at+jwt"}, payload
    yield "alg in the header another", {**header, "alg": "ES384"}, payload
    yield "alg none under a good signature", {**header, "alg": "none"}, payload
    yield "alg as a list", {**header, "alg": ["ES256"]}, payload
    yield "expired", header, {**payload, "exp": now - 1}
    yield "expired long ago", header, {**payload, "exp": 1}
    yield "a negative expiry", header, {**payload, "exp": -now}
    for exp in (str(now + 3600), None, float(now + 3600) + 0.5, True, [now + 3600], 1 << 62, 1e300):
        yield f"exp {exp!r}", header, {**payload, "exp": exp}
    for name in ("exp", "iat", "sub", "id", "iss", "aud", "email", "permissions"):
        yield f"no {name}", header, without(name)
    yield "issued tomorrow", header, {**payload, "iat": now + 86400}
    yield "not before tomorrow", header, {**payload, "nbf": now + 86400}
    yield "for others", header, {**payload, "aud": "another"}
    yield "for several", header, {**payload, "aud": [payload["aud"], "another"]}
    yield "from others", header, {**payload, "iss": "https://accounts.shop.test"}
    yield "sub of somebody else", header, {**payload, "sub": "00000000-0000-7000-8000-000000000000"}
    yield "somebody who does not exist", header, {**payload, "id": "00000000-0000-7000-8000-000000000000", "sub": "00000000-0000-7000-8000-000000000000",
                                                  "userId": "00000000-0000-7000-8000-000000000000"}
    yield "an id that is none", header, {**payload, "id": "1 OR 1=1", "sub": "1 OR 1=1", "userId": "1 OR 1=1"}
    yield "a payload that is an array", header, [payload]
    yield "a payload that is no JSON", header, "not json"
    yield "a payload with something behind", header, packed(payload) + "{}"
    yield "doubled claims", header, packed(payload)[:-1] + f',"exp":{now + 86400}' + "}"
    yield "a doubled alg", packed(header)[:-1] + ',"alg":"ES256"}', payload
    yield "an expiry that hides in an escaped name", header, packed(payload)[:-1] + f',"\\u0065xp":{now + 86400}' + "}"


def refused(shop, token, routes=ROUTES):
    client = shop.client()
    for method, path in routes:
        found = client.request(method, path, token=token)
        expect(found.status == 401, f"{method} {path}: {found}")
        expect(message_of(found.body) and "application/problem+json" in found.headers["Content-Type"], f"no message: {found}")
    client.close()


def odd_schemes(shop, token):
    """Only a bearer token in one Authorization field is one"""
    for name, value in {"another scheme": f"Basic {token}", "no scheme": token, "a glued scheme": f"Bearer{token}", "scheme alone": "Bearer", "scheme and blank": "Bearer ",
                        "two schemes": f"Bearer Bearer {token}", "a colon": f"Bearer: {token}", "a list": f"Basic x, Bearer {token}", "Token": f"Token {token}"}.items():
        found = shop.client().get("/auth/me", headers={"Authorization": value})
        expect(found.status == 401 and message_of(found.body), f"{name}: {found}")
    for path in (f"/auth/me?token={token}", f"/auth/me?access_token={token}"):
        expect(shop.client().get(path).status == 401, "a token in the query")
    expect(shop.client().get("/auth/me", headers={"Cookie": f"token={token}"}).status == 401, "a token in a cookie")
    expect(shop.client().get("/auth/me", headers={"Authorization": f"bearer {token}"}).status == 200, "the scheme's case does not matter")
    with Connection(shop.port) as connection:
        connection.send(f"GET /auth/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x\r\n\r\n")
        expect(connection.answer()[0] == 401, "two Authorization fields")
    with Connection(shop.port) as connection:
        connection.send(f"GET /auth/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {'a' * 1_000_000}\r\n\r\n")
        expect(connection.answer()[0] in (400, 431), "a token of 1 MB")


def optional_tokens(shop, forged):
    """Where a token may be missing, a bad one is refused or counts as none: never as somebody"""
    client = shop.client()
    expect(client.get("/products", token=forged).status == 200, "the catalogue is closed to somebody with an old token")
    found = client.post("/orders", {}, token=forged)
    expect(found.status == 401, f"an order with a bad token: {found}")
    found = client.post("/auth/validate", {"token": forged[:8000]})
    expect(found.status == 401 and found.json()["valid"] is False and found.json()["message"], f"{found}")


def customer(shop):
    email = f"t{secrets.token_hex(6)}@shop.test"
    found = shop.client().post("/auth/register", {"name": "Token Tester", "email": email, "password": "a-good-password"})
    expect(found.status == 201, f"{found}")
    token = found.json()["token"]
    return email, token, json.loads(from_b64(token.split(".")[1]))["id"]


def until(status, client, path, limit_s=5):
    end = time.monotonic() + limit_s
    while True:
        found = client.get(path)
        if found.status == status:
            return
        expect(time.monotonic() < end, f"{path} is still {found.status} after {limit_s} s")
        time.sleep(0.05)


def deactivation(shop):
    """A deactivated account is refused within 5 s everywhere, a right password then is 403, and it can come back"""
    admin, (email, token, user) = shop.admin(), customer(shop)
    client = shop.client(token)
    paths = ("/auth/me", "/orders/my-orders")
    for path in paths:
        expect(client.get(path).status == 200, f"{path} before")
    expect(client.get("/products/promotions/all").status == 403, "a customer without the permission")
    expect(admin.delete(f"/auth/users/{user}").status == 204, "not deactivated")
    begun = time.monotonic()
    for path in (*paths, "/products/promotions/all"):
        until(401, client, path, 5 - (time.monotonic() - begun))
    expect(client.post("/auth/validate", {"token": token}, token=None).status == 401, "validate still says yes")
    found = shop.client().post("/auth/login", {"email": email, "password": "a-good-password"})
    expect(found.status == 403, f"deactivated, right password: {found}")
    expect(shop.client().post("/auth/login", {"email": email, "password": "another"}).status == 401, "deactivated, wrong password")
    expect(admin.post(f"/auth/users/{user}/activate").status == 200, "not activated again")
    client = shop.client().log_in(email, "a-good-password")
    for path in paths:
        until(200, client, path)


def role_change(shop):
    """A role that is given or taken is effective within 5 s, without a new login"""
    admin, (_, token, user) = shop.admin(), customer(shop)
    roles = {role["name"]: role["id"] for role in admin.get("/auth/roles").json()}
    client = shop.client(token)
    expect(client.get("/orders").status == 403 and client.get("/auth/users").status == 403, "a customer sees what staff sees")
    expect(admin.put(f"/auth/users/{user}", {"roleId": roles["Support"]}).status == 200, "no new role")
    until(200, client, "/orders")
    until(200, client, "/auth/users")
    expect(admin.put(f"/auth/users/{user}", {"roleId": roles["Customer"]}).status == 200, "no role back")
    until(403, client, "/orders")
    until(403, client, "/auth/users")


def expiry(shop, private, token):
    """A token that is known to be good dies with its exp, in every cache"""
    header, payload = (json.loads(from_b64(part)) for part in token.split(".")[:2])
    short = signed(private, header, {**payload, "exp": int(time.time()) + 3})
    client = shop.client(short)
    paths = ("/auth/me", "/orders/my-orders")
    for path in paths:
        expect(client.get(path).status == 200, f"{path} before")
    time.sleep(max(0.0, json.loads(from_b64(short.split(".")[1]))["exp"] - time.time()) + 0.05)
    for path in paths:
        expect(client.get(path).status == 401, f"{path} after")


def rotation(shop):
    """Keys are rotated under load without one refusal; old tokens stay good, new ones carry the new kid"""
    if not hasattr(shop, "shopctl"):
        raise AssertionError("the stack offers no shopctl: rotation cannot be tested")
    _, token, _ = customer(shop)
    refusals, stop = [], threading.Event()

    def visitor(number):
        client = shop.client(token)
        while not stop.is_set():
            for path in ("/auth/me", "/orders/my-orders"):
                found = client.get(path)
                if found.status != 200:
                    refusals.append((number, path, found.status))

    def guesser():  # unknown kids make the services ask for keys: that must not cost anybody the new key
        client = shop.client()
        while not stop.is_set():
            forged = signed(7, {"alg": "ES256", "typ": "JWT", "kid": secrets.token_hex(8)}, {})
            found = client.get("/orders/my-orders", token=forged)
            if found.status != 401:
                refusals.append(("guesser", found.status))

    threads = [threading.Thread(target=visitor, args=(i,)) for i in range(2)] + [threading.Thread(target=guesser)]
    for thread in threads:
        thread.start()
    try:
        kids = set()
        for _ in range(3):
            done = shop.shopctl("rotate-keys")
            expect(done.returncode == 0, f"rotate-keys: {done.stderr}")
            _, fresh, _ = customer(shop)
            kids.add(json.loads(from_b64(fresh.split(".")[0]))["kid"])
            for path in ("/auth/me", "/orders/my-orders"):
                found = shop.client(fresh).get(path)
                expect(found.status == 200, f"a token of the new key: {found}")
        expect(len(kids) == 3, f"{kids}")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    expect(not refusals, f"{len(refusals)} refused: {refusals[:3]}")
    published = {key["kid"] for key in shop.client().get("/auth/.well-known/jwks.json").json()["keys"]}
    expect(kids <= published and "d" not in json.dumps([sorted(key) for key in shop.client().get("/auth/.well-known/jwks.json").json()["keys"]]).replace("kid", ""), "the published keys")


def main():
    checks = Checks("tokens")
    with opened(demo=False) as shop:
        administrator(shop)
        token = shop.admin().token
        jwks = shop.client().get("/auth/.well-known/jwks.json").json()
        for method, path in ROUTES:
            found = shop.client(token).request(method, path)
            assert found.status == 200, f"{path}: {found}"
        private = key_of(shop)
        forged = list(unsigned_forgeries(token, jwks))
        if private:
            header, payload = (json.loads(from_b64(part)) for part in token.split(".")[:2])
            assert shop.client(signed(private, header, payload)).get("/auth/me").status == 200, "this test signs wrongly"
            forged += [(name, signed(private, head, claims)) for name, head, claims in forgeries_with_the_key(private, token)]
        checks.title += f" ({len(forged)} forged)"
        for name, one in forged:
            def check(one=one):
                refused(shop, one)
            check.__doc__ = f"forged: {name}"
            checks.run(check)
        checks.run(odd_schemes, shop, token)
        checks.run(optional_tokens, shop, dict(forged)["another payload"])
        checks.run(role_change, shop)
        checks.run(deactivation, shop)
        checks.run(rotation, shop)
        if private:
            checks.run(expiry, shop, key_of(shop), shop.admin().token)

        def alive():
            """The good token is good still"""
            expect(shop.client(token).get("/auth/me").status == 200, "no longer")

        checks.run(alive)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
