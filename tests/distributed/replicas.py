#!/usr/bin/env python3
"""Two replicas of product-service, one store: what was written through one is read through the other at once, and an order gets
the price that holds, whichever replica it meets. On the stack that SHOP_STACK names, or one of its own."""
import pathlib
import statistics
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import shop as lib  # noqa: E402
import stack  # noqa: E402

ROUNDS = 60
SEARCHED = 12    # products, of each replica
LATER_S = 0.2    # in the median, through one replica than through the other: a relay that looks twice a second for what others wrote does it
GUEST = {"guestEmail": "replicas@example.org", "phone": "555-0100", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": None}


def main():
    with stack.given_or_started() as shop:
        token = shop.admin().token
        replicas = [lib.Client("127.0.0.1", shop.stack.services[name]["port"], token) for name in shop.instances("product-service")]
        assert len(replicas) == 2, f"{len(replicas)} replicas"
        sku = f"R-{uuid.uuid4().hex[:12]}"
        made = replicas[0].post("/", {"sku": sku, "name": {"en": "One"}, "variants": [{"price": "1", "initialStockQuantity": 1000}]})
        assert made.status == 201, made
        product, variant = made.json()["id"], made.json()["variants"][0]["id"]
        stock = 1000
        for n in range(ROUNDS):
            writer, reader = replicas[n % 2], replicas[1 - n % 2]
            reader.get(f"/id/{product}")  # it has a copy now
            assert writer.put(f"/variants/{variant}", {"price": str(n + 2)}).status == 200
            shown = reader.get(f"/id/{product}").json()["data"]["variants"][0]
            assert shown["price"] == str(n + 2), f"round {n}: price {shown['price']} after it was set to {n + 2}"
            listed = reader.get(f"/?q={sku}").json()["data"]
            assert [each["variants"][0]["price"] for each in listed] == [str(n + 2)], f"round {n}: the list shows {listed}"

            order = shop.client().post("/orders", {**GUEST, "items": [{"variantId": variant, "quantity": 1}]})
            assert order.status == 201 and order.json()["items"][0]["priceAtTimeOfOrder"] == str(n + 2), f"round {n}: {order}"
            stock -= 1
            for replica in replicas:
                seen = replica.get(f"/variants/{variant}").json()["stockQuantity"]
                assert seen == stock, f"round {n}: stock {seen}, {stock} is right"

            renamed = f"Name {n}"
            assert writer.put(f"/{product}", {"name": {"en": renamed}}).status == 200
            assert reader.get(f"/?q={sku}").json()["data"][0]["name"] == renamed, f"round {n}: the list has the old name"
        assert writer.delete(f"/{product}").status == 204
        assert reader.get(f"/id/{product}").status == 404, "a deleted product is still shown"
        assert reader.get(f"/?q={sku}").json()["data"] == [], "a deleted product is still listed"

        # Only one replica's relay works at a time; what is written through the other one leaves as soon.
        waits = {replica: [] for replica in replicas}
        for _ in range(SEARCHED):
            for replica in replicas:
                word = f"zr{uuid.uuid4().hex[:12]}"
                made = replica.post("/", {"sku": word, "name": {"en": f"Thing {word}"}, "variants": [{"price": "1"}]})
                assert made.status == 201, made
                begun = time.monotonic()
                lib.eventually(lambda w=word: shop.client().get(f"/search/products?q={w}").json()["data"], 10, every_s=0.01)
                waits[replica].append(time.monotonic() - begun)
        medians = [statistics.median(each) for each in waits.values()]
        fair = max(medians) - min(medians) < LATER_S or max(medians) < 2 * min(medians)  # a busy machine takes its time for both
        assert fair, f"found after {medians[0]:.3f} s and {medians[1]:.3f} s in the median, by the replica that was asked"
    print(f"replicas: found by search after {medians[0] * 1000:.0f} and {medians[1] * 1000:.0f} ms; {ROUNDS} rounds of prices, stock and names, none stale")


if __name__ == "__main__":
    main()
