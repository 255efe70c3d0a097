#!/usr/bin/env python3
"""Every component down and slow: tests/distributed/outages.py, against the stack that SHOP_STACK names, or one of its own.

What needs it answers 503 or 504 in time, says so in /health, the rest goes on, all heals without a restart, and nothing that was
acknowledged is lost.
"""
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
import stack as stacks  # noqa: E402

LIMIT_S = 17  # a request's budget, and what a busy machine adds
HEAL_S = 20   # 2 s by the goal; JVMs on a busy machine come back in their own time


def timed(ask):
    begun = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - begun


def is_away(ask, what):
    answer, took = timed(ask)
    assert answer.status in (503, 504), f"{what}: {answer}"
    assert took < LIMIT_S, f"{what}: {took:.1f} s"
    if answer.status == 503:
        assert answer.headers["Retry-After"], f"{what}: 503 without Retry-After"
    assert answer.json()["message"] and "exception" not in answer.text.lower(), answer
    return took


def health(shop, service, wanted, dependency=None, instance=1):
    def look():
        answer = lib.Client("127.0.0.1", shop.stack.services[f"{service}-{instance}"]["port"], timeout=10).get("/health")
        if answer.status != (200 if wanted == "UP" else 503) or answer.json()["status"] != wanted:
            return None
        return not dependency or answer.json()["dependencies"][dependency] == wanted
    lib.eventually(look, HEAL_S)


def new_product(admin, stock=5):
    answer = admin.post("/products", {"sku": f"OUT-{os.urandom(5).hex()}", "name": {"en": "Outage lamp"}, "variants": [{"price": 3, "initialStockQuantity": stock}]})
    assert answer.status == 201, answer
    return answer.json()


def order(client, product, quantity=1):
    return client.post("/orders", {"guestEmail": "outage@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": None,
                                   "items": [{"variantId": product["variants"][0]["id"], "quantity": quantity}]})


def stock(client, product):
    return client.get(f"/products/variants/{product['variants'][0]['id']}").json()["stockQuantity"]


def redis(shop, verb, back):
    admin, client = shop.admin(), shop.client()
    product = new_product(admin)
    assert client.get("/carts/00000000-0000-4000-8000-00000000000a").status in (200, 201)
    shop.component(verb, "redis")
    try:
        took = is_away(lambda: client.get("/carts/00000000-0000-4000-8000-00000000000a"), "a cart without Redis")
        health(shop, "cart-service", "DOWN", "redis")
        assert client.get("/products?limit=1").status == 200
        placed = order(client, product)
        assert placed.status == 201, f"an order does not need Redis: {placed}"
    finally:
        shop.component(back, "redis")
    lib.eventually(lambda: client.get("/carts/00000000-0000-4000-8000-00000000000a").status in (200, 201), HEAL_S)
    health(shop, "cart-service", "UP")
    return f"answered in {took:.1f} s"


def postgres(shop, verb, back):
    admin, client = shop.admin(), shop.client()
    product = new_product(admin)
    first = order(client, product)
    assert first.status == 201, first
    shop.component(verb, "postgres")
    try:
        took = is_away(lambda: order(client, product), "an order without its database")
        is_away(lambda: client.post("/auth/login", {"email": lib.ADMIN[0], "password": lib.ADMIN[1]}), "a login without its database")
        health(shop, "order-service", "DOWN", "database")
        assert client.get("/search/products?q=lamp").status == 200, "search does not need PostgreSQL"
        assert client.get("/images/health").status == 200
    finally:
        shop.component(back, "postgres")
    lib.eventually(lambda: client.get(f"/orders/{first.json()['id']}?guest_token={first.json()['guest_token']}").status == 200, HEAL_S)
    again = lib.eventually(lambda: (lambda a: a if a.status == 201 else None)(order(client, product)), HEAL_S)
    assert again.status == 201
    for service in ("order-service", "auth-service", "product-service"):
        health(shop, service, "UP")
    lib.eventually(lambda: 0 <= stock(client, product) <= 3, HEAL_S)
    return f"answered in {took:.1f} s"


def kafka(shop, verb, back):
    """Orders go on; what they tell arrives when the log is back."""
    admin, client = shop.admin(), shop.client()
    product = new_product(admin)
    name = f"Zlamp{os.urandom(4).hex()}"
    shop.component(verb, "kafka")
    try:
        placed, took = timed(lambda: order(client, product))
        assert placed.status == 201 and took < 10, f"an order waits for the event log: {placed} {took:.1f} s"
        renamed = admin.put(f"/products/{product['id']}", {"name": {"en": name}})
        assert renamed.status == 200, renamed
    finally:
        shop.component(back, "kafka")
    lib.eventually(lambda: client.get(f"/search/products?q={name}").json()["pagination"]["total"] == 1, 60, every_s=0.3)
    return f"an order took {took:.2f} s"


def elasticsearch(shop, verb, back):
    admin, client = shop.admin(), shop.client()
    shop.component(verb, "elasticsearch")
    name = f"Ylamp{os.urandom(4).hex()}"
    try:
        took = is_away(lambda: client.get("/search/products?q=lamp"), "a search without its engine")
        health(shop, "search-service", "DOWN")
        product = new_product(admin)
        assert admin.put(f"/products/{product['id']}", {"name": {"en": name}}).status == 200
        assert order(client, product).status == 201
    finally:
        shop.component(back, "elasticsearch")
    lib.eventually(lambda: (lambda a: a.status == 200 and a.json()["pagination"]["total"] == 1)(client.get(f"/search/products?q={name}")), 90, every_s=0.3)
    return f"answered in {took:.1f} s"


def any_order_of_start(shop):
    """Services begin while their stores are away, say so, and are ready without a restart."""
    for name in ("postgres", "redis"):
        shop.component("kill9", name)
    names = ["order-service-1", "cart-service-1", "auth-service-1"]
    for name in names:
        shop.kill(name)
    for name in names:
        shop.start(name, wait=False)
    for name in names:
        port = shop.stack.services[name]["port"]
        lib.eventually(lambda p=port: stacks.distributed.get(p, "/health/live")[0] == 200, HEAL_S)
        assert stacks.distributed.get(port, "/health")[0] == 503, f"{name} says it is well without its store"
    answer = shop.client().get("/orders/my-orders")
    assert answer.status == 503, answer
    for name in ("postgres", "redis"):
        shop.component("start", name)
    shop.stack.wait_ready(names, {}, 60)
    lib.eventually(lambda: shop.client().post("/auth/login", {"email": lib.ADMIN[0], "password": lib.ADMIN[1]}).status == 200, HEAL_S)


def main():
    tests = [(redis, "kill9", "start"), (redis, "pause", "resume"), (postgres, "kill9", "start"), (postgres, "pause", "resume"),
             (elasticsearch, "kill9", "start"), (kafka, "kill9", "start"), (any_order_of_start,)]
    wanted = sys.argv[1:]
    failed = 0
    with stacks.given_or_started() as shop:
        for test, *how in tests:
            lib.eventually(lambda: shop.client().post("/auth/login", {"email": lib.ADMIN[0], "password": lib.ADMIN[1]}).status == 200, HEAL_S)
            if wanted and test.__name__ not in wanted:
                continue
            begun = time.monotonic()
            label = f"{test.__name__} {how[0] if how else ''}".strip()
            try:
                said = test(shop, *how) or ""
                print(f"  {label}: ok, {time.monotonic() - begun:.1f} s {said}", flush=True)
            except Exception as error:
                failed += 1
                print(f"  {label}: FAILED after {time.monotonic() - begun:.1f} s: {error!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
