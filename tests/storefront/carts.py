#!/usr/bin/env python3
"""cart-service from outside: the contract's section 7 row by row, many clients on one cart, a restart, a catalogue that is away."""
import concurrent.futures
import pathlib
import re
import socket
import sys
import threading
import time
import uuid
from decimal import ROUND_HALF_UP, Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from shop import Alone, OneProcess, free_port, opened  # noqa: E402

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
CART = ["id", "userId", "items", "createdAt", "updatedAt"]
ITEM = ["itemId", "productId", "variantId", "quantity", "price", "name", "imageUrl", "attributes", "addedAt"]


def is_error(answer, status, path=None):
    assert answer.status == status, answer
    problem = answer.json()
    assert problem["status"] == "error" and problem["message"], problem
    if path:
        assert path in [fault["path"] for fault in problem["errors"]], problem
    return problem


def is_cart(answer, status=200):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    cart = answer.json()
    assert list(cart) == CART, cart
    assert STAMP.match(cart["createdAt"]) and STAMP.match(cart["updatedAt"]), cart
    for item in cart["items"]:
        assert list(item) == ITEM, item
        assert STAMP.match(item["addedAt"]) and isinstance(item["price"], (int, float)) and isinstance(item["attributes"], dict), item
    return cart


def registered(shop):
    client = shop.client()
    email = f"{uuid.uuid4()}@example.org"
    answer = client.post("/auth/register", {"name": "Cart Holder", "email": email, "password": "a password"})
    assert answer.status == 201, answer
    client.token = answer.json()["token"]
    client.id = client.get("/auth/me").json()["id"]
    return client


def goods(shop):
    """[(product id, variant)] of the demo catalogue."""
    found = []
    for page in range(1, 20):
        products = shop.client().get(f"/products?limit=100&page={page}&isActive=true").json()["data"]
        found += [(product, variant) for product in products for variant in product["variants"]]
        if len(products) < 100:
            break
    assert len(found) >= 100, len(found)
    return found


def line(good, quantity=1, **more):
    product, variant = good
    return {"productId": product["id"], "variantId": variant["id"], "quantity": quantity, "price": 0.01, **more}


def opening(shop):
    client = shop.client()
    cart = is_cart(client.post("/carts"), 201)
    assert uuid.UUID(cart["id"]).version == 4 and cart["userId"] is None and cart["items"] == [] and cart["createdAt"] == cart["updatedAt"], cart
    assert is_cart(client.post(f"/carts?cartId={cart['id']}")) == cart
    assert is_cart(client.post(f"/carts?cartId={cart['id'].upper()}", {})) == cart
    assert is_cart(client.get(f"/carts/{cart['id']}")) == cart
    wanted = str(uuid.uuid4())
    assert is_cart(client.post(f"/carts?cartId={wanted}", {"anything": 1}), 201)["id"] == wanted
    assert is_cart(client.post(f"/carts?cartId={wanted}"))["id"] == wanted
    other = str(uuid.uuid4())
    assert is_cart(client.get(f"/carts/{other}"), 201)["id"] == other
    assert is_cart(client.get(f"/carts/{other}"))["items"] == []
    assert client.post("/carts?cartId=").status == 201
    for bad in ("x", "1", "null", "undefined", wanted[:-1], wanted.replace("-", ""), wanted + "0", "%20", "..." + wanted):
        is_error(client.get(f"/carts/{bad}"), 400)
        is_error(client.post(f"/carts?cartId={bad}"), 400)
        is_error(client.post(f"/carts/{bad}/items", {}), 400)
    is_error(client.post("/carts", b"{", headers={"Content-Type": "application/json"}), 400)
    assert client.get("/carts").status == 405 and client.get("/carts/health").json() == {"status": "UP", "service": "cart-service", "dependencies": {"redis": "UP"}}
    assert is_cart(client.get(f"/carts/{cart['id']}", headers={"Authorization": "Bearer nonsense"}))["id"] == cart["id"], "an open cart does not ask who knows its id"


def lines(shop, some):
    client = shop.client()
    path = "/carts/" + is_cart(client.post("/carts"), 201)["id"]
    (product, variant), second = some[0], next(good for good in some if good[0]["id"] != some[0][0]["id"])
    cart = is_cart(client.post(path + "/items", line(some[0], 2, name="Cheap", imageUrl="http://evil.test/x.png", attributes={"Color": "None"})))
    item = cart["items"][0]
    assert item["price"] == float(variant["price"]) and item["name"] == product["name"] and item["quantity"] == 2, item
    assert item["attributes"] == variant["attributes"] and item["productId"] == product["id"] and item["variantId"] == variant["id"], item
    assert item["imageUrl"] == next(image["imageUrl"] for image in product["images"] if image["isPrimary"]), item
    uuid.UUID(item["itemId"])
    assert cart["updatedAt"] >= cart["createdAt"]
    cart = is_cart(client.post(path + "/items", line(some[0], 3)))
    assert [i["quantity"] for i in cart["items"]] == [5] and cart["items"][0]["itemId"] == item["itemId"] and cart["items"][0]["addedAt"] == item["addedAt"]
    cart = is_cart(client.post(path + "/items", line(second)))
    assert [i["quantity"] for i in cart["items"]] == [5, 1], cart
    assert is_cart(client.get(path)) == cart, "what is answered is what is kept"

    base = next(row for row in client.get("/products/currencies").json() if row["isBase"])["code"]
    for row in client.get("/products/currencies").json():
        shown = is_cart(client.post(path + "/items", line(some[0]), headers={"X-Currency": row["code"].lower(), "Accept-Language": "fr-FR,fr;q=0.9"}))["items"][0]
        wanted = (Decimal(variant["price"]) * Decimal(row["rateVsBase"])).quantize(Decimal("0.01"), ROUND_HALF_UP) if row["code"] != base else Decimal(variant["price"])
        assert Decimal(str(shown["price"])) == wanted, (row, shown)
        french = client.get(f"/products/id/{product['id']}").json()["data"]["name"]["fr"]
        assert shown["name"] == french, shown
    problem = is_error(client.post(path + "/items", line(some[0]), headers={"X-Currency": "ZZZ"}), 400)
    assert "ZZZ" in problem["message"]
    is_error(client.post(path + "/items", line(some[0]), headers={"X-Currency": "EURO"}), 400)

    problem = is_error(client.post(path + "/items", {"productId": "x", "quantity": 0, "price": "dear", "name": 1, "attributes": [], "imageUrl": {}}), 400)
    assert {f["path"] for f in problem["errors"]} == {"productId", "variantId", "quantity", "price", "name", "attributes", "imageUrl"}, problem
    for quantity in (0, -1, 1001, 1.5, "2", None, True, [], 10**30):
        is_error(client.post(path + "/items", line(some[0], quantity)), 400, "quantity")
        is_error(client.put(f"{path}/items/{item['itemId']}", {"quantity": quantity}), 400, "quantity")
    for price in (-1, "x", None, [], {}):
        is_error(client.post(path + "/items", {**line(some[0]), "price": price}), 400, "price")
    is_error(client.post(path + "/items", {**line(some[0]), "imageUrl": "javascript:alert(1)"}), 400, "imageUrl")
    is_error(client.post(path + "/items", b"[" * 100, headers={"Content-Type": "application/json"}), 400)
    is_error(client.post(path + "/items", {**line(some[0]), "name": "x" * 201}), 400, "name")
    is_error(client.post(path + "/items", {**line(some[0]), "variantId": str(uuid.uuid4())}), 404)
    is_error(client.post(path + "/items", {**line(some[0]), "productId": second[0]["id"]}), 400, "variantId")
    is_error(client.post(f"/carts/{uuid.uuid4()}/items", line(some[0])), 404)
    assert client.post(path + "/items", {**line(some[0]), "price": 100000.0, "extra": {"ignored": True}}).status == 200
    kept = is_cart(client.get(path))

    cart = is_cart(client.put(f"{path}/items/{item['itemId']}", {"quantity": 1000}))
    assert cart["items"][0]["quantity"] == 1000
    is_error(client.post(path + "/items", line(some[0])), 400, "quantity")
    assert is_cart(client.put(f"{path}/items/{item['itemId']}", {"quantity": kept["items"][0]["quantity"]}))["items"] == kept["items"]
    for missing in (str(uuid.uuid4()), "x"):
        is_error(client.put(f"{path}/items/{missing}", {"quantity": 1}), 404)
        is_error(client.delete(f"{path}/items/{missing}"), 404)
    is_error(client.put(f"/carts/{uuid.uuid4()}/items/{item['itemId']}", {"quantity": 1}), 404)
    is_error(client.delete(f"/carts/{uuid.uuid4()}/items/{item['itemId']}"), 404)
    cart = is_cart(client.delete(f"{path}/items/{item['itemId']}"))
    assert [i["variantId"] for i in cart["items"]] == [second[1]["id"]]
    is_error(client.delete(f"{path}/items/{item['itemId']}"), 404)
    emptied = is_cart(client.delete(path + "/items"))
    assert emptied["items"] == [] and emptied["id"] == cart["id"] and emptied["createdAt"] == cart["createdAt"]
    for unknown in (str(uuid.uuid4()), "x"):
        is_error(client.delete(f"/carts/{unknown}/items"), 404)
        is_error(client.delete(f"/carts/{unknown}"), 404)
    gone = client.delete(path)
    assert gone.status == 204 and gone.body == b"", gone
    is_error(client.delete(path), 404)
    is_error(client.post(path + "/items", line(some[0])), 404)
    assert is_cart(client.get(path), 201)["items"] == []


def repeated(shop, some):
    """The same Idempotency-Key has one effect, and byte for byte one answer."""
    client = shop.client()
    path = "/carts/" + is_cart(client.post("/carts"), 201)["id"]
    key = {"Idempotency-Key": "one intent"}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.client().post(path + "/items", line(some[0], 2), headers=key), range(24)))
    assert {answer.status for answer in answers} == {200}, [answer.status for answer in answers]
    assert len({answer.body for answer in answers}) == 1
    assert [item["quantity"] for item in is_cart(client.get(path))["items"]] == [2]
    is_error(client.post(path + "/items", line(some[0], 3), headers=key), 422)
    is_error(client.post(path + "/items", line(some[0], 3), headers={"Idempotency-Key": "x" * 201}), 400)
    assert is_cart(client.post(path + "/items", line(some[0], 2), headers={"Idempotency-Key": "another"}))["items"][0]["quantity"] == 4
    other = "/carts/" + is_cart(client.post("/carts"), 201)["id"]
    assert is_cart(client.post(other + "/items", line(some[0], 1), headers=key))["items"][0]["quantity"] == 1, "a key belongs to its cart"


def association(shop, some):
    ann, bob, guest = registered(shop), registered(shop), shop.client()
    cart = is_cart(guest.post("/carts"), 201)
    path, wanted = "/carts/" + cart["id"], {"cartId": cart["id"], "userId": ann.id}
    guest.post(path + "/items", line(some[0], 2))
    is_error(guest.post("/carts/associate", wanted), 401)
    is_error(guest.post("/carts/associate", wanted, headers={"Authorization": "Bearer nonsense"}), 401)
    is_error(bob.post("/carts/associate", wanted), 403)
    is_error(shop.admin().post("/carts/associate", wanted), 403)
    for bad in ({}, {"cartId": cart["id"]}, {"userId": ann.id}, {"cartId": "x", "userId": ann.id}, {"cartId": cart["id"], "userId": "x"}, []):
        is_error(ann.post("/carts/associate", bad), 400)
    assert is_cart(guest.get(path))["userId"] is None, "nobody has it yet"
    taken = is_cart(ann.post("/carts/associate", wanted))
    assert taken["userId"] == ann.id and taken["items"] == is_cart(ann.get(path))["items"] and taken["items"][0]["quantity"] == 2
    assert is_cart(ann.post("/carts/associate", wanted)) == taken, "a second time changes nothing"
    item = taken["items"][0]["itemId"]
    for stranger in (guest, bob, shop.admin()):
        is_error(stranger.get(path), 404)
        is_error(stranger.post(f"/carts?cartId={cart['id']}"), 404)
        is_error(stranger.post(path + "/items", line(some[0])), 404)
        is_error(stranger.put(f"{path}/items/{item}", {"quantity": 1}), 404)
        is_error(stranger.delete(f"{path}/items/{item}"), 404)
        is_error(stranger.delete(path + "/items"), 404)
        is_error(stranger.delete(path), 404)
    is_error(guest.get(path, headers={"Authorization": "Bearer nonsense"}), 404)
    is_error(bob.post("/carts/associate", {"cartId": cart["id"], "userId": bob.id}), 404)
    assert is_cart(ann.get(path)) == taken
    assert is_cart(ann.post(path + "/items", line(some[1])))["userId"] == ann.id

    unknown = str(uuid.uuid4())
    answer = ann.post("/carts/associate", {"cartId": unknown, "userId": ann.id})
    assert answer.status == 200 and answer.json()["message"], answer
    assert {key: answer.json()[key] for key in ("id", "userId", "items")} == {"id": unknown, "userId": None, "items": []}, answer
    assert set(answer.json()) == {"message", "id", "userId", "items"}, answer

    fresh = is_cart(guest.post("/carts"), 201)
    guest.post(f"/carts/{fresh['id']}/items", line(some[0], 5))
    guest.post(f"/carts/{fresh['id']}/items", line(some[2], 1))
    merged = is_cart(ann.post("/carts/associate", {"cartId": fresh["id"], "userId": ann.id}))
    assert {i["variantId"]: i["quantity"] for i in merged["items"]} == {some[0][1]["id"]: 7, some[2][1]["id"]: 1, some[1][1]["id"]: 1}, merged
    assert len({i["itemId"] for i in merged["items"]}) == 3
    assert is_cart(ann.get(path), 201)["items"] == [], "its lines are in the other cart now"
    assert ann.delete(f"/carts/{fresh['id']}").status == 204
    last = is_cart(guest.post("/carts"), 201)
    assert is_cart(ann.post("/carts/associate", {"cartId": last["id"], "userId": ann.id}))["items"] == []


def taken_meanwhile(shop, ann, some):
    """64 clients add a line each, a few milliseconds apart; when some are in, the cart is associated. The cart, and how many were in."""
    cart = is_cart(shop.client().post("/carts"), 201)["id"]
    gate, done = threading.Barrier(65), threading.Semaphore(0)

    def add(i):
        client = shop.client(ann.token)
        gate.wait(30)
        time.sleep(i * 0.002)
        answer = client.post(f"/carts/{cart}/items", line(some[i]))
        done.release()
        client.close()
        return answer.status

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        running = [pool.submit(add, i) for i in range(64)]
        gate.wait(30)
        for _ in range(20):
            assert done.acquire(timeout=30)
        taken = is_cart(ann.post("/carts/associate", {"cartId": cart, "userId": ann.id}))
        statuses = [each.result() for each in running]
    assert statuses == [200] * 64, statuses
    return is_cart(ann.get(f"/carts/{cart}")), sum(item["quantity"] for item in taken["items"])


def crowded(shop, some):
    """64 clients add distinct lines while the cart is associated and merged: none is lost. 100 adds of one variant: 100."""
    ann = registered(shop)
    before = 0
    for turn in range(1, 5):  # each time with the cart of the turn before
        cart, were_in = taken_meanwhile(shop, ann, some)
        assert {i["variantId"]: i["quantity"] for i in cart["items"]} == {good[1]["id"]: turn for good in some[:64]}, cart
        print(f"  64 clients, associated when {were_in - before} of them were in: none lost")
        before = 64 * turn

    cart = is_cart(shop.client().post("/carts"), 201)["id"]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda _: shop.client().post(f"/carts/{cart}/items", line(some[0])).status, range(100)))
    assert statuses == [200] * 100, statuses
    assert [i["quantity"] for i in is_cart(ann.get(f"/carts/{cart}"))["items"]] == [100]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda i: shop.client().post(f"/carts/{cart}/items", line(some[i])).status, range(100)))
    assert statuses == [200] * 100 and len(is_cart(ann.get(f"/carts/{cart}"))["items"]) == 100
    newcomer = str(uuid.uuid4())
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(lambda _: shop.client().get(f"/carts/{newcomer}").status, range(20)))
    assert statuses == [200] * 19 + [201], statuses


def survives(how):
    """A shop in one process finds its carts again, whether it was stopped or killed."""
    with OneProcess() as shop:
        some = goods(shop)
        ann = registered(shop)
        cart = is_cart(ann.post("/carts"), 201)["id"]
        ann.post(f"/carts/{cart}/items", line(some[0], 3))
        before = is_cart(ann.post("/carts/associate", {"cartId": cart, "userId": ann.id}))
        if how == "stopped":
            assert shop.stop() == 0
        else:
            shop.kill()
        shop.start()
        client = shop.client(ann.token)
        assert is_cart(client.get(f"/carts/{cart}")) == before
        is_error(shop.client().get(f"/carts/{cart}"), 404)
        assert is_cart(client.post(f"/carts/{cart}/items", line(some[0])))["items"][0]["quantity"] == 4


class Silent:
    """Takes connections and never answers: what a hanging catalogue looks like."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.listener.close()


def without_catalogue(port, why):
    """cart-service alone: the request's own words are kept, in time, and a later answer of the catalogue is not needed."""
    nobody = f"127.0.0.1:{port}"
    with Alone("cart-service", "--redis-url", "memory:", "--product-service-url", nobody, "--auth-service-url", nobody) as service:
        client = service.client()
        path = "/" + is_cart(client.post("/"), 201)["id"]
        product, variant = str(uuid.uuid4()), str(uuid.uuid4())
        begun = time.monotonic()
        item = is_cart(client.post(path + "/items", {"productId": product, "variantId": variant, "quantity": 2, "price": 1195.9908, "name": " Lamp ",
                                                     "imageUrl": "/images/x.png", "attributes": {"Size": 41}}, headers={"X-Currency": "EUR"}))["items"][0]
        took = time.monotonic() - begun
        assert took < 3, f"{took:.1f} s with a catalogue that is {why}"
        assert (item["price"], item["name"], item["imageUrl"], item["attributes"]) == (1195.99, "Lamp", "/images/x.png", {"Size": "41"}), item
        item = is_cart(client.post(path + "/items", {"productId": product, "variantId": str(uuid.uuid4()), "quantity": 1, "price": "9.50", "imageUrl": "", "name": None}))["items"][1]
        assert (item["price"], item["name"], item["imageUrl"], item["attributes"]) == (9.5, "Product Name Unavailable", None, {}), item
        print(f"  catalogue {why}: a line after {took * 1000:.0f} ms")
        assert service.close() == 0


def main():
    with opened() as shop:
        some = goods(shop)
        opening(shop)
        lines(shop, some)
        repeated(shop, some)
        association(shop, some)
        crowded(shop, some)
    survives("stopped")
    survives("killed")
    without_catalogue(free_port(), "away")
    with Silent() as silent:
        without_catalogue(silent.port, "silent")
    print("Carts keep what they answered.")


if __name__ == "__main__":
    main()
