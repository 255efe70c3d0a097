#!/usr/bin/env python3
"""Guessing, flooding, overreaching and eavesdropping: tests/security/accounts.py"""
import json
import re
import secrets
import statistics
import sys
import threading
import time
import uuid

from wire import Checks, administrator, expect, message_of
from shop import eventually, opened

PASSWORD = "a-good-password"


def customer(shop, password=PASSWORD):
    email = f"u{secrets.token_hex(6)}@shop.test"
    found = shop.client().post("/auth/register", {"name": "Some Body", "email": email, "password": password})
    expect(found.status == 201, f"{found}")
    client = shop.client(found.json()["token"])
    client.email, client.id = email, client.get("/auth/me").json()["id"]
    return client


def sellable(admin, stock=1000):
    """A product with one variant; (product id, variant id)."""
    found = admin.post("/products", {"sku": f"SEC-{secrets.token_hex(5)}", "name": {"en": "Lock"},
                                     "variants": [{"attributes": {"Size": "M"}, "price": "25.50", "costPrice": "7.77", "initialStockQuantity": stock}]})
    expect(found.status == 201, f"{found}")
    return found.json()["id"], found.json()["variants"][0]["id"]


def order_of(variant, **more):
    return {"guestEmail": "guest@shop.test", "phone": "555-555-5555", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": None,
            "items": [{"variantId": variant, "quantity": 1}], **more}


def throttle(shop):
    """120 wrong passwords on one account end in 429 with Retry-After; others and other accounts are served; it ends by itself"""
    victim, other = customer(shop), customer(shop)
    seen, retry = [], None
    client = shop.client()
    for number in range(120):
        found = client.post("/auth/login", {"email": victim.email.upper() if number % 2 else victim.email, "password": f"guess-{number}"})
        seen.append(found.status)
        expect(found.status in (401, 429) and message_of(found.body), f"{found}")
        if found.status == 429:
            retry = int(found.headers["Retry-After"])
    expect(seen[:5] == [401] * 5, f"throttled from the beginning: {seen[:10]}")
    expect(429 in seen and seen[-1] == 429, f"never throttled: {seen[-10:]}")
    expect(seen.index(429) <= 100, f"{seen.index(429)} guesses were evaluated")
    expect(0 < retry <= 60, f"Retry-After {retry}")
    expect(client.post("/auth/login", {"email": victim.email, "password": PASSWORD}).status == 429, "from this address even the right one has to wait")
    expect(shop.client(victim.token).get("/auth/me").status == 200, "who is logged in stays so")
    expect(client.post("/auth/login", {"email": other.email, "password": PASSWORD}).status == 200, "another account is affected")
    found = client.post("/auth/login", {"email": f"{secrets.token_hex(5)}@nowhere.test", "password": "x"})
    expect(found.status == 401, f"another address is affected: {found}")
    return victim


def throttle_ends(shop, victim, since):
    """The throttle is over after a minute, without anybody's help"""
    time.sleep(max(0, 61 - (time.monotonic() - since)))
    found = shop.client().post("/auth/login", {"email": victim.email, "password": PASSWORD})
    expect(found.status == 200, f"locked for longer: {found}")


def ordinary_use(shop):
    """60 registrations and 120 logins within a minute from one address are within the limits"""
    client = shop.client()
    emails = [f"r{secrets.token_hex(6)}@shop.test" for _ in range(60)]
    for email in emails:
        found = client.post("/auth/register", {"name": "Load Test", "email": email, "password": PASSWORD})
        expect(found.status == 201, f"{found}")
    for number in range(120):
        found = client.post("/auth/login", {"email": emails[number % 60], "password": PASSWORD})
        expect(found.status == 200, f"{found}")


def login_storm(shop):
    """A storm of logins is answered or refused at once (503), and the catalogue is served meanwhile"""
    accounts = [customer(shop) for _ in range(4)]
    statuses, stop, lock = [], threading.Event(), threading.Lock()

    def storm(number):
        client = shop.client(timeout=60)
        while not stop.is_set():
            found = client.post("/auth/login", {"email": accounts[number % 4].email, "password": PASSWORD})
            with lock:
                statuses.append((found.status, found.headers.get("Retry-After"), message_of(found.body)))

    quiet = []
    client = shop.client()
    for _ in range(30):
        start = time.perf_counter()
        expect(client.get("/products?limit=5").status == 200, "the catalogue")
        quiet.append(time.perf_counter() - start)
    before = shop.resident_mb() if hasattr(shop, "resident_mb") else 0
    threads = [threading.Thread(target=storm, args=(number,)) for number in range(150)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        during, end = [], time.monotonic() + 4
        while time.monotonic() < end:
            start = time.perf_counter()
            found = client.get("/products?limit=5")
            during.append(time.perf_counter() - start)
            expect(found.status == 200, f"the catalogue: {found}")
        after = shop.resident_mb() if hasattr(shop, "resident_mb") else 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    counts = {status: sum(1 for one in statuses if one[0] == status) for status in {one[0] for one in statuses}}
    print(f"  storm: {counts}; catalogue median {statistics.median(quiet) * 1000:.1f} ms quiet, {statistics.median(during) * 1000:.1f} ms during; +{after - before:.0f} MB")
    expect(set(counts) <= {200, 503, 429}, f"{counts}")
    expect(counts.get(200, 0) > 5, "nobody got in")
    expect(counts.get(503, 0) > 0, "150 at once fit into the pool: it has no bound")
    expect(all(retry and message for status, retry, message in statuses if status in (503, 429)), "a 503 or 429 without Retry-After or message")
    expect(statistics.median(during) < max(0.25, 20 * statistics.median(quiet)), "the catalogue stands still")
    expect(after - before < 80, f"resident memory rose by {after - before:.0f} MB")


def mass_assignment(shop):
    """What a client may not set, it does not set: role, activity, price, dates, owners"""
    admin = shop.admin()
    email = f"m{secrets.token_hex(6)}@shop.test"
    extra = {"roleName": "ADMIN", "role": "ADMIN", "roleId": admin.get("/auth/roles").json()[0]["id"], "permissions": ["read:user"], "isActive": False, "id": str(uuid.uuid4()),
             "createdAt": "2001-01-01T00:00:00.000Z", "password_hash": "x", "isAdmin": True, "__proto__": {"role": "ADMIN"}, "constructor": {"prototype": {"isAdmin": True}}}
    found = shop.client().post("/auth/register", {"name": "Mass", "email": email, "password": PASSWORD, **extra})
    expect(found.status == 201, f"{found}")
    client = shop.client(found.json()["token"])
    me = client.get("/auth/me").json()
    expect(me["role"]["name"] == "Customer" and me["id"] != extra["id"], f"{me}")
    expect(client.get("/auth/users").status == 403, "a customer lists users")
    user = admin.get(f"/auth/users/{me['id']}").json()
    expect(user["isActive"] and not user["createdAt"].startswith("2001"), f"{user}")
    expect(admin.put(f"/auth/users/{me['id']}", {"name": "Renamed", "isActive": False, "email": "stolen@shop.test", "password": "x" * 10}).status == 200, "rename")
    user = admin.get(f"/auth/users/{me['id']}").json()
    expect(user["isActive"] and user["email"] == email and user["name"] == "Renamed", f"{user}")

    _, variant = sellable(admin)
    stranger = str(uuid.uuid4())
    found = client.post("/orders", order_of(variant, id=stranger, userId=stranger, status="DELIVERED", totalAmount="0.01", displayTotalAmount="0.01", createdAt="2001-01-01T00:00:00.000Z",
                                            overrideCreatedAt="2001-01-01T00:00:00.000Z", guest_token="f" * 64, exchangeRateAtPurchase="0.0001", paymentTransactionId="paid",
                                            items=[{"variantId": variant, "quantity": 1, "price": "0.01", "priceAtTimeOfOrder": "0.01", "costPriceAtTimeOfOrder": "0", "productName": "Free", "sku": "FREE"}]))
    expect(found.status == 201, f"{found}")
    order = found.json()
    expect(order["userId"] == me["id"] and order["status"] == "PENDING" and order["totalAmount"] in ("25.5", "25.50") and order["items"][0]["priceAtTimeOfOrder"] in ("25.5", "25.50"), f"{order}")
    expect(order["id"] != stranger and order["guest_token"] != "f" * 64 and not order["createdAt"].startswith("2001") and order["paymentTransactionId"] is None, f"{order}")
    expect(order["items"][0]["productName"] == "Lock" and order["items"][0]["costPriceAtTimeOfOrder"] is None, f"{order}")


def foreign_objects(shop):
    """Three identities, every route with an id: nobody reads or changes what is another's, and cannot tell it from what is not there"""
    admin, owner, thief = shop.admin(), customer(shop), customer(shop)
    _, variant = sellable(admin)
    mine = owner.post("/orders", order_of(variant)).json()
    guest = shop.client().post("/orders", order_of(variant)).json()
    nothing = str(uuid.uuid4())

    def same_as_nothing(client, method, path, body=None, statuses=(404,)):
        found = client.request(method, path.format(id=nothing), body)
        for identity in (mine["id"], guest["id"]):
            other = client.request(method, path.format(id=identity), body)
            expect(other.status in statuses and other.status == found.status, f"{method} {path}: {other.status} for another's, {found.status} for nothing: {other}")
            expect(mine["phone"] not in other.text and '"guest_token":' not in other.text, f"{method} {path} tells: {other}")

    anonymous = shop.client()
    for client in (anonymous, thief):
        same_as_nothing(client, "GET", "/orders/{id}")
        same_as_nothing(client, "GET", "/orders/{id}?guest_token=" + "0" * 64)
        same_as_nothing(client, "GET", "/orders/{id}?guest_token=")
        same_as_nothing(client, "GET", "/orders/{id}?guest_token[]=x&guest_token=%00", statuses=(400,))
        same_as_nothing(client, "POST", "/orders/{id}/cancel?guest_token=" + "0" * 64, statuses=(404, 401))
        for identity in (mine["id"], guest["id"], nothing):
            found = client.post("/orders/guest-lookup", {"orderId": identity, "email": "somebody@else.test"})
            expect(found.status == 404, f"{found}")
            found = client.post("/orders/guest-lookup", {"orderId": identity, "token": "0" * 64})
            expect(found.status == 404, f"{found}")
    same_as_nothing(thief, "PUT", "/orders/{id}/status", {"status": "CANCELLED"}, statuses=(403,))
    same_as_nothing(thief, "POST", "/orders/{id}/cancel", statuses=(404,))
    # A token of one order opens no other.
    expect(anonymous.get(f"/orders/{mine['id']}?guest_token={guest['guest_token']}").status == 404, "one order's token opens another")
    expect(thief.get(f"/orders/{guest['id']}?guest_token={mine['guest_token']}").status == 404, "one order's token opens another")
    # The owner, the holder of the token, and staff.
    expect(owner.get(f"/orders/{mine['id']}").json()["guest_token"] == mine["guest_token"], "the owner")
    expect(anonymous.get(f"/orders/{guest['id']}?guest_token={guest['guest_token']}").status == 200, "the holder of the token")
    expect(admin.get(f"/orders/{mine['id']}").status == 200 and "guest_token\":\"" not in admin.get("/orders?limit=100").text, "staff lists carry no tokens")
    expect([one["id"] for one in thief.get("/orders/my-orders").json()["data"]] == [], "another's orders in one's list")
    found = anonymous.post("/orders/guest-lookup", {"orderId": guest["id"], "email": "GUEST@shop.test"})
    expect(found.status == 200 and found.json().get("guest_token") is None, f"an e-mail alone shows the token: {found}")
    # Users are staff's.
    for method, path, body in (("GET", "/auth/users/{}", None), ("PUT", "/auth/users/{}", {"name": "Taken Over"}), ("DELETE", "/auth/users/{}", None), ("POST", "/auth/users/{}/activate", None)):
        expect(thief.request(method, path.format(owner.id), body).status == 403, f"{method} {path}")
        expect(anonymous.request(method, path.format(owner.id), body).status == 401, f"{method} {path}")


def carts(shop):
    """A cart belongs to whoever knows its id, until it belongs to an account; then to nobody else, not even by its id"""
    owner, thief, anonymous = customer(shop), customer(shop), shop.client()
    found = anonymous.post("/carts")
    expect(found.status == 201, f"{found}")
    cart = found.json()["id"]
    expect(uuid.UUID(cart).version == 4, f"{cart}: a cart's id must not be guessable")
    expect(thief.post("/carts/associate", {"cartId": cart, "userId": owner.id}).status == 403, "associated for somebody else")
    expect(anonymous.post("/carts/associate", {"cartId": cart, "userId": owner.id}).status == 401, "associated without a token")
    expect(owner.post("/carts/associate", {"cartId": cart, "userId": owner.id}).status == 200, "the owner")
    line = {"productId": str(uuid.uuid4()), "variantId": str(uuid.uuid4()), "quantity": 1, "price": 1}
    for client in (thief, anonymous):
        for method, path, body in (("GET", "", None), ("POST", "/items", line), ("PUT", f"/items/{uuid.uuid4()}", {"quantity": 1}), ("DELETE", f"/items/{uuid.uuid4()}", None), ("DELETE", "/items", None),
                                   ("DELETE", "", None)):
            found = client.request(method, f"/carts/{cart}{path}", body)
            expect(found.status == 404 and owner.id not in found.text, f"{method} {path}: {found}")
    expect(thief.post("/carts/associate", {"cartId": cart, "userId": thief.id}).status in (403, 404), "taken over")
    found = thief.post(f"/carts?cartId={cart}")
    expect(found.status == 404 or found.json()["id"] != cart, f"another's cart by ?cartId=: {found}")
    found = owner.get(f"/carts/{cart}")
    expect(found.status == 200 and found.json()["userId"] == owner.id, f"{found}")


def unguessable(shop):
    """Order tokens have 256 bits and never repeat"""
    _, variant = sellable(shop.admin())
    tokens = {shop.client().post("/orders", order_of(variant)).json()["guest_token"] for _ in range(20)}
    expect(len(tokens) == 20 and all(re.fullmatch(r"[0-9a-f]{64}", token) for token in tokens), f"{tokens}")


CANARY = "c4n4ry" + secrets.token_hex(8)
TOO_MUCH = re.compile(r"\$argon2|\$2[aby]\$|BEGIN (EC )?PRIVATE|SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|sqlite|syntax error|std::|\.cpp\b|0x[0-9a-f]{8}|Traceback|terminate called|pq:|SQLSTATE", re.IGNORECASE)
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*")


def silence(shop):
    """No password, token, hash, SQL or stack in any log line or error answer"""
    admin = shop.admin()
    password = f"{CANARY}-password"
    user = customer(shop, password)
    secrets_told = [CANARY, user.token, admin.token, user.token.split(".")[2]]
    client = shop.client()
    answers = []

    def ask(who, method, path, body=None, **more):
        found = who.request(method, path, body, **more)
        if found.status >= 400:
            answers.append((f"{method} {path[:80]}", found))
        return found

    _, variant = sellable(admin)
    order = client.post("/orders", order_of(variant)).json()
    secrets_told.append(order["guest_token"])
    ask(client, "GET", f"/orders/{order['id']}?guest_token={order['guest_token']}")
    ask(client, "GET", f"/orders/{uuid.uuid4()}?guest_token={CANARY}")
    for body in ({"email": user.email, "password": f"{CANARY}-wrong"}, {"email": f"{CANARY}@shop.test", "password": CANARY}, {"email": "x", "password": [CANARY]}, f'{{"email": "a@b.c", "password": "{CANARY}',
                 f'{{"password": "{CANARY}"}}', {"email": user.email, "password": CANARY * 100}):
        ask(client, "POST", "/auth/login", body, headers={"Content-Type": "application/json"})
    ask(client, "POST", "/auth/register", {"name": "x", "email": user.email, "password": password})
    ask(client, "POST", "/auth/register", {"name": "Some Body", "email": user.email, "password": password})
    ask(client, "POST", "/auth/validate", {"token": f"{CANARY}.x.y"})
    ask(client, "POST", "/auth/complete-invitation", {"token": CANARY, "password": password})
    ask(client, "GET", "/auth/me", headers={"Authorization": f"Bearer {CANARY}.x.y"})
    ask(client, "GET", "/auth/me", headers={"Authorization": f"Basic {CANARY}"})
    ask(client, "GET", "/orders/my-orders", headers={"Authorization": f"Bearer {user.token}x"})
    ask(client, "GET", f"/auth/me?token={CANARY}")
    for hostile in ("'", "' OR 1=1 --", "%00", "\\", "1;DROP TABLE users", "${jndi:ldap://x}", "{{7*7}}", "<script>", "../../etc/passwd", "%F0%9F%92%A9", "\u202e", "z" * 5000):
        quoted = "".join(c if c.isalnum() or c in "%" else f"%{c.encode()[0]:02x}" if len(c.encode()) == 1 else "".join(f"%{byte:02x}" for byte in c.encode()) for c in hostile)
        for path in ("/products/id/{}", "/products/sku/{}", "/orders/{}", "/products/categories/slug/{}", "/products?q={}", "/products?sortBy={}", "/products?categorySlug={}", "/products?minPrice={}"):
            ask(client, "GET", path.format(quoted))
        ask(admin, "GET", f"/auth/users?roleId={quoted}")
        ask(admin, "GET", f"/orders?search={quoted}")
        ask(admin, "GET", f"/orders?status={quoted}&sortBy={quoted}")
        ask(client, "GET", "/products", headers={"X-Currency": hostile.encode("ascii", "replace").decode(), "Accept-Language": hostile.encode("ascii", "replace").decode()})
        ask(admin, "POST", "/auth/users/invite", {"name": hostile, "email": f"{hostile}@x", "roleId": hostile})
        ask(client, "POST", "/orders", {"items": [{"variantId": hostile, "quantity": hostile}], "guestEmail": hostile, "paymentMethod": hostile})
    for what, found in answers:
        expect(found.status < 500, f"{what}: {found}")
        expect(message_of(found.body), f"{what} has no message: {found}")
        hit = TOO_MUCH.search(found.text)
        expect(not hit, f"{what} tells {hit and hit[0]!r}: {found}")
        expect(CANARY not in found.text or what.startswith("GET /nothing"), f"{what} repeats a secret: {found}")
        server = found.headers.get("Server", "") + found.headers.get("X-Powered-By", "")
        expect(not server, f"{what} says what serves it: {server}")
    if hasattr(shop, "log_path"):
        expect(eventually(lambda: "/auth/complete-invitation" in shop.log_path.read_text(errors="replace")), "the log is blind")
        text = shop.log_path.read_text(errors="replace")
        for secret in secrets_told:
            line = next((line for line in text.splitlines() if secret in line), None)
            expect(line is None, f"the log holds a secret: {line}")
        for pattern in (JWT, re.compile(r"\$argon2|\$2[aby]\$|BEGIN (EC )?PRIVATE|[0-9a-f]{64}", re.IGNORECASE)):
            hit = pattern.search(text)
            expect(not hit, f"the log holds {hit and hit[0]!r}")
        for line in text.splitlines():
            if line.startswith("{"):
                json.loads(line)


def headers(shop):
    """Answers name no server, are not sniffed, and errors are not cached as if they were pages"""
    for path in ("/", "/products", "/nowhere", "/auth/me", "/docs", "/openapi.json"):
        found = shop.client().get(path)
        expect(found.headers["X-Content-Type-Options"] == "nosniff", f"{path}: {found.headers}")
        expect("Server" not in found.headers and "X-Powered-By" not in found.headers, f"{path} names its server")
        expect(found.headers["X-Request-Id"], f"{path}: no request id")
    page = shop.client().get("/docs")
    expect(not re.search(r"""(src|href)\s*=\s*["'](https?:)?//""", page.text), "/docs loads from another host")
    found = shop.client().get("/products/id/%0d%0aSet-Cookie:%20a=b")
    expect("Set-Cookie" not in found.headers, "a header was injected")
    found = shop.client().request("OPTIONS", "/products", headers={"Origin": "http://a.test", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,x-currency"})
    expect(found.status == 204 and found.headers["Access-Control-Allow-Methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE" and found.headers["Access-Control-Allow-Headers"] == "authorization,x-currency", f"{found.headers}")
    expect("Access-Control-Allow-Credentials" not in found.headers, "any origin with credentials")


def main():
    checks = Checks("accounts")
    with opened(demo=False) as shop:
        administrator(shop)
        victims = []
        since = time.monotonic()

        def first():
            victims.append(throttle(shop))
        first.__doc__ = throttle.__doc__
        checks.run(first)
        for check in (headers, mass_assignment, foreign_objects, carts, unguessable, silence, login_storm):
            checks.run(check, shop)
        if victims and "quick" not in sys.argv:
            checks.run(throttle_ends, shop, victims[0], since)
        checks.run(ordinary_use, shop)  # a new window: those before used up registrations
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
