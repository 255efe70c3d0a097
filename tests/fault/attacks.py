#!/usr/bin/env python3
"""Concurrent-request attacks on a shop, each with the state in which it must end (docs/attacks.md).

usage: attacks.py [NAME ...]                          against a shop of its own, in one process; with SHOP_MODE=distributed, on the real stores;
                                                      with SHOP_STACK, against the stack in that folder
       attacks.py --url http://HOST:PORT --admin EMAIL:PASSWORD [NAME ...]     against yours: it makes products, customers and
                                                      orders named "attack-...", and takes rights away only from its own accounts
       attacks.py --list                              the attacks as a table
"""
import argparse
import concurrent.futures
import contextlib
import decimal
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import shop as lib  # noqa: E402
from crowd import Wire  # noqa: E402

ATTACKS = {}
RIGHTS_LIMIT_S = 30  # contract, section 3: a change of rights takes effect everywhere within this time
ROUNDS = 25  # of several changes of one thing at once: who reads, changes and writes back loses one of them in the first or second


def attack(function):
    ATTACKS[function.__name__.replace("_", "-")] = function
    return function


class Fault(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Fault(text)


class Answer:
    def __init__(self, triple):
        self.status, self.headers, self.body = triple

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Target:
    """The shop under attack."""

    def __init__(self, host, port, email, password, replicas=True):
        self.host, self.port, self.replicas = host, port, replicas
        self.run = uuid.uuid4().hex[:8]
        self.count = 0
        self.wire = Wire(host, port, 60)
        answer = self.call("POST", "/auth/login", {"email": email, "password": password})
        expect(answer.status == 200, f"{email} cannot log in: {answer}")
        self.admin = answer.json()["token"]
        self.carts = self.call("GET", "/carts/health").status == 200
        self.registered_at = []

    def call(self, method, path, body=None, token=None, headers=()):
        return Answer(self.wire.request(method, path, body, token, headers))

    def name(self):
        self.count += 1
        return f"attack-{self.run}-{self.count}"

    def product(self, stock=10, price="10", variants=1):
        """(product, [variant ids])"""
        name = self.name()
        body = {"sku": name, "name": {"en": name}, "variants": [{"attributes": {"Size": str(i)}, "price": price, "initialStockQuantity": stock} for i in range(variants)]}
        answer = self.call("POST", "/products", body, self.admin)
        expect(answer.status == 201, f"no product: {answer}")
        return answer.json()["id"], [variant["id"] for variant in answer.json()["variants"]]

    def customer(self):
        """(id, token)"""
        answer = self.call("POST", "/auth/register", {"name": "Attack", "email": f"{self.name()}@example.org", "password": "secret-1"})
        expect(answer.status == 201, f"no customer: {answer}")
        token = answer.json()["token"]
        return self.call("GET", "/auth/me", token=token).json()["id"], token

    def stock(self, variant):
        answer = self.call("GET", f"/products/variants/{variant}")
        expect(answer.status == 200, f"no variant: {answer}")
        return answer.json()["stockQuantity"]

    def ledger(self, variant):
        """Movements by type: [changes]; with the invariant that they sum to the stock."""
        movements, by_type = self.call("GET", f"/products/stock/history/{variant}", token=self.admin).json(), {}
        for movement in movements:
            by_type.setdefault(movement["type"], []).append(movement["changeQuantity"])
        if len(movements) < 1000:
            expect(sum(map(sum, by_type.values())) == self.stock(variant), f"the movements of {variant} do not sum to its stock: {by_type}, {self.stock(variant)}")
        return by_type

    def order(self, lines, token=None, key=None, headers=(), **more):
        body = {"guestName": "Attack", "guestEmail": "attack@example.org", "phone": self.run, "paymentMethod": "CASH_ON_DELIVERY",
                "items": [{"variantId": variant, "quantity": quantity} for variant, quantity in lines], **more}
        headers = (*headers, ("Idempotency-Key", key)) if key else headers
        return "POST", "/orders", body, token, headers

    def placed(self, lines, token=None):
        answer = self.call(*self.order(lines, token))
        expect(answer.status == 201, f"no order: {answer}")
        return answer.json()

    def role(self, permissions):
        known = {row["name"]: row["id"] for row in self.call("GET", "/auth/permissions", token=self.admin).json()}
        answer = self.call("POST", "/auth/roles", {"name": self.name(), "permissionIds": [known[name] for name in permissions]}, self.admin)
        expect(answer.status == 201, f"no role: {answer}")
        return answer.json()["id"]

    def cancel(self, order):
        return "POST", f"/orders/{order['id']}/cancel?guest_token={order['guest_token']}", {}

    def race(self, requests):
        """Sends all of them at the same moment, each on a connection that is open already; the answers in the same order."""
        answers, gate = [None] * len(requests), threading.Barrier(len(requests))

        def run(index, request):
            wire = Wire(self.host, self.port, 60)
            try:
                wire.request("GET", "/health")
                gate.wait(60)
                answers[index] = Answer(wire.request(*request))
            except Exception as error:  # noqa: BLE001: the attacker's own trouble is told as an answer
                answers[index] = Answer((0, {}, repr(error).encode()))
            finally:
                wire.close()

        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        return answers

    @contextlib.contextmanager
    def team(self, size):
        """A function that races as many requests, again and again, on connections that stay open."""
        wires, gate = [Wire(self.host, self.port, 60) for _ in range(size)], threading.Barrier(size)

        def run(wire, request):
            gate.wait(60)
            return Answer(wire.request(*request))

        with concurrent.futures.ThreadPoolExecutor(size) as pool:
            try:
                yield lambda requests: list(pool.map(run, wires, requests))
            finally:
                for wire in wires:
                    wire.close()

    def both_hold(self, path, changes, look, rounds=ROUNDS):
        """In each round changes of different members of one thing, sent at once and all acknowledged; then each must be seen. `changes` gives, for the number
        of the round, the body of a PUT to `path`, or a whole request; `look` what is there afterwards, and which of its members are wanted."""
        with self.team(len(changes)) as race:
            for number in range(rounds):
                made = [change(number) for change in changes.values()]
                answers = race([("PUT", path, change, self.admin) if isinstance(change, dict) else change for change in made])
                expect(set(statuses(answers)) <= {200, 204}, f"round {number}: answers {answers}")
                seen, wanted = look(number)
                lost = [f"{member} is {seen[member]!r}, not {value!r}" for member, value in wanted.items() if seen[member] != value]
                expect(not lost, f"round {number}: all was acknowledged, but {'; '.join(lost)}")

    @contextlib.contextmanager
    def meanwhile(self, requests):
        """Sends the requests one after the other, over and over, while the block runs."""
        stop, seen = threading.Event(), []

        def run():
            wire = Wire(self.host, self.port, 60)
            while not stop.is_set():
                for request in requests:
                    seen.append(Answer(wire.request(*request)))
            wire.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            stop.set()
            thread.join(60)


def statuses(answers):
    counts = {}
    for answer in answers:
        counts[answer.status] = counts.get(answer.status, 0) + 1
    return counts


def number(text):
    return decimal.Decimal(str(text))


# --- the currency of all prices: first, because it can change only where nothing has a price yet

@attack
def two_bases(shop):
    """Two currencies are made the base at once while the present one is set again, 15 times over. One is the base, at the rate 1; where there are prices, the one from before."""
    def bases():
        return [row for row in shop.call("GET", "/products/currencies").json() if row["isBase"]]

    def put(code, **more):
        return "POST", "/products/currencies", {"code": code, "rateVsBase": "2", **more}, shop.admin
    first = bases()[0]["code"]
    try:
        for i in range(15):
            answers = shop.race([put("XAT", isBase=True), put("XAU", isBase=True), put(bases()[0]["code"])])
            now = bases()
            expect(set(statuses(answers)) <= {200, 409} and len(now) == 1 and number(now[0]["rateVsBase"]) == 1, f"round {i}: answers {answers}, bases {now}")
            if 409 in statuses(answers):
                expect(now[0]["code"] == first, f"round {i}: prices are in another currency, {now}")
    finally:
        back = shop.call(*put(first, isBase=True))
        expect(back.status == 200, f"{first} is not the base again: {back}")


# --- stock

@attack
def inventory(shop):
    """50 buyers at once want one of 10 units. Exactly 10 orders, 40 times 409, stock 0."""
    _, (variant,) = shop.product(stock=10)
    answers = shop.race([shop.order([(variant, 1)]) for _ in range(50)])
    expect(statuses(answers) == {201: 10, 409: 40}, f"answers {statuses(answers)}")
    expect(shop.stock(variant) == 0, f"stock {shop.stock(variant)}")
    expect(shop.ledger(variant)["ORDER"] == [-1] * 10, f"ledger {shop.ledger(variant)}")


@attack
def all_or_nothing(shop):
    """40 orders of the same two variants in opposite order of lines, 15 of each in stock. Both fall alike, no deadlock, no half order."""
    _, (a, b) = shop.product(stock=15, variants=2)
    answers = shop.race([shop.order([(a, 1), (b, 1)] if i % 2 else [(b, 1), (a, 1)]) for i in range(40)])
    expect(statuses(answers) == {201: 15, 409: 25}, f"answers {statuses(answers)}")
    expect((shop.stock(a), shop.stock(b)) == (0, 0), f"stock {shop.stock(a)}, {shop.stock(b)}")
    answer = shop.call(*shop.order([(shop.product(stock=5)[1][0], 1), (a, 1)]))
    expect(answer.status == 409, f"a line that cannot be had: {answer}")


@attack
def split_lines(shop):
    """One order names the same variant in many lines that only together exceed the stock. 409, and nothing was taken."""
    _, (variant,) = shop.product(stock=10)
    answer = shop.call(*shop.order([(variant, 4), (variant, 4), (variant, 4)]))
    expect(answer.status == 409 and shop.stock(variant) == 10, f"{answer}, stock {shop.stock(variant)}")


@attack
def adjust_against_order(shop):
    """A clerk takes 5 away 10 times while 50 buyers take 1 each; 60 in stock. Never below 0, and everything that was answered adds up."""
    _, (variant,) = shop.product(stock=60)
    adjust = ("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": -5, "type": "ADMIN_UPDATE"}, shop.admin)
    answers = shop.race([shop.order([(variant, 1)]) for _ in range(50)] + [adjust] * 10)
    sold, taken = statuses(answers[:50]), statuses(answers[50:])
    expect(set(sold) <= {201, 409} and set(taken) <= {201, 400}, f"orders {sold}, adjustments {taken}")
    expect(shop.stock(variant) == 60 - sold.get(201, 0) - 5 * taken.get(201, 0) >= 0, f"orders {sold}, adjustments {taken}, stock {shop.stock(variant)}")
    expect(shop.stock(variant) < 5, "stock was left although somebody was refused")
    shop.ledger(variant)


@attack
def adjustments(shop):
    """40 clerks each take one of 25. Exactly 25 succeed; no update is lost."""
    _, (variant,) = shop.product(stock=25)
    answers = shop.race([("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": -1, "type": "ADMIN_UPDATE"}, shop.admin)] * 40)
    expect(statuses(answers) == {201: 25, 400: 15} and shop.stock(variant) == 0, f"{statuses(answers)}, stock {shop.stock(variant)}")
    left = sorted(answer.json()["newStockQuantity"] for answer in answers if answer.status == 201)
    expect(left == list(range(25)), f"two clerks were told the same stock: {left}")


@attack
def adjustment_twice(shop):
    """The same adjustment, sent 20 times at once under one Idempotency-Key. One movement, one answer for all."""
    _, (variant,) = shop.product(stock=0)
    request = ("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": 7, "type": "ADMIN_UPDATE"}, shop.admin, (("Idempotency-Key", shop.name()),))
    answers = shop.race([request] * 20)
    expect(statuses(answers) == {201: 20} and len({answer.body for answer in answers}) == 1, f"{statuses(answers)}, {len({a.body for a in answers})} different bodies")
    expect(shop.stock(variant) == 7, f"stock {shop.stock(variant)}")


# --- placing

@attack
def double_submit(shop):
    """The order button is pressed 20 times at once, with one Idempotency-Key. One order; 20 answers, equal to the byte."""
    _, (variant,) = shop.product(stock=100)
    answers = shop.race([shop.order([(variant, 3)], key=shop.name())] * 20)
    expect(statuses(answers) == {201: 20}, f"answers {statuses(answers)}")
    expect(len({answer.body for answer in answers}) == 1, f"{len({answer.body for answer in answers})} different bodies")
    expect(shop.stock(variant) == 97, f"stock {shop.stock(variant)}")


@attack
def one_key_many_orders(shop):
    """10 different orders at once under one key. One is placed, the others are 422, one order's stock is gone."""
    _, (variant,) = shop.product(stock=100)
    key = shop.name()
    answers = shop.race([shop.order([(variant, i + 1)], key=key) for i in range(10)])
    expect(statuses(answers) == {201: 1, 422: 9}, f"answers {statuses(answers)}")
    placed = next(answer for answer in answers if answer.status == 201).json()["items"][0]["quantity"]
    expect(shop.stock(variant) == 100 - placed, f"stock {shop.stock(variant)}, sold {placed}")


@attack
def one_key_two_users(shop):
    """Two customers happen to use the same key. Two orders, each with its owner: nobody sees the other's."""
    _, (variant,) = shop.product(stock=10)
    (first, first_token), (second, second_token), key = shop.customer(), shop.customer(), shop.name()
    answers = shop.race([shop.order([(variant, 1)], first_token, key), shop.order([(variant, 1)], second_token, key)])
    expect(statuses(answers) == {201: 2}, f"answers {statuses(answers)}")
    expect([answer.json()["userId"] for answer in answers] == [first, second], "an order went to the wrong customer")
    expect(shop.stock(variant) == 8, f"stock {shop.stock(variant)}")


@attack
def key_after_refusal(shop):
    """An order is refused for lack of stock, stock comes in, the same request is sent 10 times at once under the same key. One order."""
    _, (variant,) = shop.product(stock=1)
    request = shop.order([(variant, 2)], key=shop.name())
    expect(shop.call(*request).status == 409, "two of one unit were sold")
    shop.call("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": 9, "type": "ADMIN_UPDATE"}, shop.admin)
    answers = shop.race([request] * 10)
    expect(statuses(answers) == {201: 10} and len({answer.body for answer in answers}) == 1, f"answers {statuses(answers)}")
    expect(shop.stock(variant) == 8, f"stock {shop.stock(variant)}")


@attack
def two_tabs(shop):
    """A customer orders in two tabs at once without any key, the last unit. One order, one refusal."""
    _, (variant,) = shop.product(stock=1)
    _, token = shop.customer()
    answers = shop.race([shop.order([(variant, 1)], token)] * 2)
    expect(statuses(answers) == {201: 1, 409: 1} and shop.stock(variant) == 0, f"{statuses(answers)}, stock {shop.stock(variant)}")
    mine = shop.call("GET", "/orders/my-orders", token=token).json()["data"]
    expect(len(mine) == 1, f"{len(mine)} orders")


@attack
def made_up_prices(shop):
    """The client sends its own price, total, name and status, and quantities that are negative, huge or no number. The catalogue's price counts; the rest is 400."""
    _, (variant,) = shop.product(stock=1000, price="99999.99")
    method, path, body, _, _ = shop.order([(variant, 2)])
    body["items"][0].update({"price": 0.01, "priceAtTimeOfOrder": "0.01", "unitPrice": 0, "productName": "free"})
    body.update({"totalAmount": "0.02", "displayTotalAmount": "0.02", "status": "PAID"})
    answer = shop.call(method, path, body)
    expect(answer.status == 201 and answer.json()["totalAmount"] == "199999.98" and answer.json()["status"] == "PENDING", f"{answer}")
    for quantity in (-1, 0, 1001, 1.5, "2", None, 1e9, True):
        answer = shop.call(*shop.order([(variant, quantity)]))
        expect(answer.status == 400, f"quantity {quantity!r}: {answer}")
    expect(shop.stock(variant) == 998, f"stock {shop.stock(variant)}")


@attack
def price_change_against_order(shop):
    """A price flips between 10 and 20 while orders of two lines of it are placed. Every order has one of the two prices, in both lines, and their sum."""
    _, (variant,) = shop.product(stock=1000, price="10")
    flips = [("PUT", f"/products/variants/{variant}", {"price": price}, shop.admin) for price in ("20", "10")]
    with shop.meanwhile(flips) as flipped:
        answers = [shop.call(*shop.order([(variant, 1), (variant, 2)])) for _ in range(60)]
    expect(statuses(answers) == {201: 60} and len(flipped) > 4, f"answers {statuses(answers)}, {len(flipped)} flips")
    for answer in answers:
        prices = {item["priceAtTimeOfOrder"] for item in answer.json()["items"]}
        expect(len(prices) == 1 and prices <= {"10", "20"}, f"prices {prices}")
        expect(number(answer.json()["totalAmount"]) == 3 * number(prices.pop()), f"total {answer}")
    shop.call(*flips[0])
    expect(shop.placed([(variant, 1)])["totalAmount"] == "20", "an order right after a price change has the old price")


@attack
def currency_change_against_order(shop):
    """A rate flips between 2 and 4 while orders are placed in that currency. Each keeps one rate, and its displayed total is total x that rate."""
    _, (variant,) = shop.product(stock=1000, price="10.5")
    flips = [("POST", "/products/currencies", {"code": "XAT", "rateVsBase": rate}, shop.admin) for rate in ("2", "4")]
    for flip in flips:
        expect(shop.call(*flip).status == 200, "no currency")
    if shop.replicas:
        time.sleep(1.1)  # one of them may know the rates of a second ago
    with shop.meanwhile(flips) as flipped:
        answers = [shop.call(*shop.order([(variant, 1)], headers=(("X-Currency", "XAT"),))) for _ in range(60)]
    expect(statuses(answers) == {201: 60} and len(flipped) > 4, f"answers {statuses(answers)}, {len(flipped)} flips")
    for answer in answers:
        order = answer.json()
        expect(order["exchangeRateAtPurchase"] in ("2", "4") and order["displayCurrency"] == "XAT", f"rate {answer}")
        expect(number(order["displayTotalAmount"]) == number(order["totalAmount"]) * number(order["exchangeRateAtPurchase"]), f"total {answer}")


# --- what happens to an order

@attack
def double_cancel(shop):
    """An order is cancelled 20 times at once. Its stock comes back once."""
    _, (variant,) = shop.product(stock=10)
    order = shop.placed([(variant, 4)])
    answers = shop.race([shop.cancel(order)] * 20)
    expect(statuses(answers) == {200: 20} and {answer.json()["status"] for answer in answers} == {"CANCELLED"}, f"answers {statuses(answers)}")
    expect(eventually(lambda: shop.stock(variant) == 10), f"stock {shop.stock(variant)}")
    time.sleep(0.5)  # the event arrives as well
    expect(shop.ledger(variant) == {"INITIAL_STOCK": [10], "ORDER": [-4], "ORDER_CANCELLED": [4]}, f"ledger {shop.ledger(variant)}")


@attack
def cancel_against_ship(shop):
    """The customer cancels at the moment at which the clerk ships, 15 times over. One of the two wins; the stock is back if and only if it was cancelled."""
    _, (variant,) = shop.product(stock=100)
    for _ in range(15):
        before, order = shop.stock(variant), shop.placed([(variant, 2)])
        cancelled, shipped = shop.race([shop.cancel(order), ("PUT", f"/orders/{order['id']}/status", {"status": "SHIPPED"}, shop.admin)])
        expect(sorted((cancelled.status, shipped.status)) == [200, 409], f"cancel {cancelled}, ship {shipped}")
        state = shop.call("GET", f"/orders/{order['id']}", token=shop.admin).json()["status"]
        expect(state == ("CANCELLED" if cancelled.status == 200 else "SHIPPED"), f"state {state}, cancel {cancelled.status}, ship {shipped.status}")
        expect(eventually(lambda: shop.stock(variant) == before - (0 if state == "CANCELLED" else 2)), f"{state}, stock {shop.stock(variant)} of {before}")
    shop.ledger(variant)


@attack
def cancel_against_failure(shop):
    """An order is cancelled by the customer, cancelled by the clerk and marked FAILED at once. It ends in one state, and the stock comes back once."""
    _, (variant,) = shop.product(stock=50)
    for _ in range(10):
        order = shop.placed([(variant, 5)])
        status = f"/orders/{order['id']}/status"
        answers = shop.race([shop.cancel(order), ("PUT", status, {"status": "CANCELLED"}, shop.admin), ("PUT", status, {"status": "FAILED"}, shop.admin)])
        state = shop.call("GET", f"/orders/{order['id']}", token=shop.admin).json()["status"]
        expect(state in ("CANCELLED", "FAILED") and set(statuses(answers)) <= {200, 409}, f"state {state}, answers {answers}")
        expect((answers[2].status == 200) == (state == "FAILED"), f"state {state}, answers {answers}")
        expect(eventually(lambda: shop.stock(variant) == 50), f"stock {shop.stock(variant)}")
    shop.ledger(variant)


@attack
def replay_after_cancel(shop):
    """An order is cancelled, then its request is sent again under its key. The first answer again, and no stock moves."""
    _, (variant,) = shop.product(stock=10)
    request = shop.order([(variant, 1)], key=shop.name())
    first = shop.call(*request)
    expect(shop.call(*shop.cancel(first.json())).status == 200, "not cancelled")
    again = shop.race([request] * 5)
    expect({(answer.status, answer.body) for answer in again} == {(201, first.body)}, f"{again[0]} instead of {first}")
    expect(eventually(lambda: shop.stock(variant) == 10), f"stock {shop.stock(variant)}")


# --- the catalogue under an order

@attack
def delete_variant_against_order(shop):
    """A variant is deleted while it is ordered, 15 times over. Either it is gone and the order is refused, or it is sold and stays."""
    for _ in range(15):
        _, (variant, _) = shop.product(stock=5, variants=2)
        ordered, deleted = shop.race([shop.order([(variant, 1)]), ("DELETE", f"/products/variants/{variant}", None, shop.admin)])
        expect((ordered.status, deleted.status) in ((201, 409), (400, 204)), f"order {ordered}, delete {deleted}")
        if ordered.status == 201:
            expect(shop.stock(variant) == 4, f"stock {shop.stock(variant)}")


@attack
def delete_product_against_order(shop):
    """A product is deleted while it is ordered. The order stands with everything on it, or is refused; it can still be cancelled."""
    for _ in range(10):
        product, (variant,) = shop.product(stock=5)
        ordered, deleted = shop.race([shop.order([(variant, 1)]), ("DELETE", f"/products/{product}", None, shop.admin)])
        expect(deleted.status == 204 and ordered.status in (201, 400), f"order {ordered}, delete {deleted}")
        if ordered.status == 201:
            kept = shop.call("GET", f"/orders/{ordered.json()['id']}?guest_token={ordered.json()['guest_token']}")
            expect(kept.status == 200 and kept.json()["items"] == ordered.json()["items"], f"{kept}")
            expect(shop.call(*shop.cancel(ordered.json())).status == 200, "cannot be cancelled")


@attack
def hide_against_order(shop):
    """A product is hidden while it is ordered. No order that begins after the answer is placed."""
    for _ in range(10):
        product, (variant,) = shop.product(stock=50)
        shop.race([shop.order([(variant, 1)])] * 5 + [("PUT", f"/products/{product}", {"isActive": False}, shop.admin)])
        answers = shop.race([shop.order([(variant, 1)])] * 3)
        expect(statuses(answers) == {400: 3}, f"a hidden product was sold: {answers}")


@attack
def same_sku(shop):
    """10 products with one SKU are made at once. One exists."""
    name = shop.name()
    answers = shop.race([("POST", "/products", {"sku": name, "name": {"en": name}}, shop.admin)] * 10)
    expect(statuses(answers) == {201: 1, 409: 9}, f"answers {statuses(answers)}")


@attack
def leaf_against_child(shop):
    """A category gets a product and a child at the same moment. Only one of the two: products lie on leaves."""
    for _ in range(10):
        name = shop.name()
        category = shop.call("POST", "/products/categories", {"name": {"en": name}, "slug": name}, shop.admin).json()["id"]
        product, _ = shop.product()
        put, child = shop.race([("POST", f"/products/{product}/categories", {"categoryIds": [category]}, shop.admin),
                                ("POST", "/products/categories", {"name": {"en": name}, "slug": f"{name}-child", "parentId": category}, shop.admin)])
        expect(sorted((put.status, child.status)) == [201, 409], f"product {put}, child {child}")


@attack
def delete_product_against_additions(shop):
    """A product is deleted while it is changed and given a variant, a picture and a category, 10 times over. It is gone with all that was added, nobody is told anything but success or 404."""
    name = shop.name()
    category = shop.call("POST", "/products/categories", {"name": {"en": name}, "slug": name}, shop.admin).json()["id"]
    with shop.team(5) as race:
        for i in range(10):
            product, (variant,) = shop.product()
            deleted, *added = race([("DELETE", f"/products/{product}", None, shop.admin), ("PUT", f"/products/{product}", {"name": {"en": f"round {i}"}}, shop.admin),
                                    ("POST", f"/products/{product}/variants", {"attributes": {}, "price": "1"}, shop.admin),
                                    ("POST", f"/products/{product}/images", [{"imageUrl": "/images/a.png"}], shop.admin),
                                    ("POST", f"/products/{product}/categories", {"categoryIds": [category]}, shop.admin)])
            expect(deleted.status == 204 and set(statuses(added)) <= {200, 201, 404}, f"round {i}: {deleted}, {added}")
            left = [shop.call("GET", path, token=shop.admin).status for path in (f"/products/id/{product}", f"/products/variants/{variant}", f"/products/{product}/variants")]
            expect(left == [404, 404, 404], f"round {i}: {added}, and then {left}")
    expect(shop.call("DELETE", f"/products/categories/{category}", token=shop.admin).status == 204, "something of a deleted product is in the category")


# --- two changes at once: none may undo the other

def named(name):
    return {"en": name}


@attack
def product_changes(shop):
    """Four people change SKU, name, description and visibility of one product at once, 25 times over. Every change that was acknowledged holds."""
    product, _ = shop.product()
    base = shop.name()
    members = {"sku": lambda i: f"{base}-{i}", "name": lambda i: named(f"name {i}"), "description": lambda i: named(f"text {i}"), "isActive": lambda i: i % 2 == 1}
    shop.both_hold(f"/products/{product}", {member: lambda i, member=member, value=value: {member: value(i)} for member, value in members.items()},
                   lambda i: (shop.call("GET", f"/products/id/{product}", token=shop.admin).json()["data"], {member: value(i) for member, value in members.items()}))


@attack
def variant_changes(shop):
    """Attributes, price, cost price and threshold of one variant are changed at once, and a piece is sold, 25 times over. Every change that was acknowledged holds."""
    _, (variant,) = shop.product(stock=100)
    members = {"attributes": lambda i: {"Size": str(i), f"Mark {i}": "yes"}, "price": lambda i: str(10 + i), "costPrice": lambda i: str(5 + i), "lowStockThreshold": lambda i: i}
    changes = {member: lambda i, member=member, value=value: {member: value(i)} for member, value in members.items()}
    with shop.meanwhile([shop.order([(variant, 1)])]) as sold:
        shop.both_hold(f"/products/variants/{variant}", changes,
                       lambda i: (shop.call("GET", f"/products/variants/{variant}", token=shop.admin).json(), {member: value(i) for member, value in members.items()}))
    expect(sold and set(statuses(sold)) <= {201, 409}, f"orders {statuses(sold)}")
    expect(shop.stock(variant) == 100 - statuses(sold).get(201, 0), f"stock {shop.stock(variant)}, orders {statuses(sold)}")
    shop.ledger(variant)


@attack
def category_changes(shop):
    """Name, slug and picture of one category are changed at once, 25 times over. Every change that was acknowledged holds."""
    base = shop.name()
    category = shop.call("POST", "/products/categories", {"name": named(base), "slug": base}, shop.admin).json()["id"]
    members = {"name": lambda i: f"{base} {i}", "slug": lambda i: f"{base}-{i}", "imageUrl": lambda i: f"/images/{i}.png"}
    shop.both_hold(f"/products/categories/{category}",
                   {"name": lambda i: {"name": named(members["name"](i))}, "slug": lambda i: {"slug": members["slug"](i)}, "imageUrl": lambda i: {"imageUrl": members["imageUrl"](i)}},
                   lambda i: (shop.call("GET", f"/products/categories/id/{category}").json(), {member: value(i) for member, value in members.items()}))


@attack
def promotion_changes(shop):
    """A promotion's title and link are changed while the promotions are put into another order, 25 times over. Every change that was acknowledged holds."""
    body = {"title": named("Attack"), "ctaText": named("Go"), "ctaLink": "/a", "imageUrl": "/images/a.png"}
    ids = [shop.call("POST", "/products/promotions", {**body, "title": named(shop.name())}, shop.admin).json()["id"] for _ in range(5)]
    try:
        shop.both_hold(f"/products/promotions/{ids[0]}",
                       {"title": lambda i: {"title": named(f"title {i}")}, "ctaLink": lambda i: {"ctaLink": f"/link/{i}"},
                        "displayOrder": lambda i: ("PUT", "/products/promotions/reorder", {"orderedIds": ids[i % 5:] + ids[:i % 5]}, shop.admin)},
                       lambda i: (shop.call("GET", f"/products/promotions/{ids[0]}", token=shop.admin).json(),
                                  {"title": named(f"title {i}"), "ctaLink": f"/link/{i}", "displayOrder": -i % 5}))
        for _ in range(10):  # in opposite orders: nobody waits for who waits for them
            answers = shop.race([("PUT", "/products/promotions/reorder", {"orderedIds": order}, shop.admin) for order in (ids, ids[::-1])] * 2)
            places = [shop.call("GET", f"/products/promotions/{id}", token=shop.admin).json()["displayOrder"] for id in ids]
            expect(set(statuses(answers)) == {200} and places in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]), f"answers {answers}, places {places}")
    finally:
        for id in ids:
            shop.call("DELETE", f"/products/promotions/{id}", token=shop.admin)


@attack
def primary_pictures(shop):
    """Four people give one product a primary picture at once, 10 times over. One of them is primary, and no two stand at one place."""
    for _ in range(10):
        product, _ = shop.product()
        answers = shop.race([("POST", f"/products/{product}/images", [{"imageUrl": f"/images/{i}.png", "isPrimary": True}], shop.admin) for i in range(4)])
        images = shop.call("GET", f"/products/id/{product}").json()["data"]["images"]
        expect(statuses(answers) == {201: 4} and sum(image["isPrimary"] for image in images) == 1, f"answers {answers}, pictures {images}")
        expect(sorted(image["order"] for image in images) == [0, 1, 2, 3], f"pictures {images}")


@attack
def last_variants(shop):
    """A product lacks two of the 200 variants that it may have; 10 are added at once. Two are."""
    product, _ = shop.product(stock=0, variants=198)
    answers = shop.race([("POST", f"/products/{product}/variants", {"attributes": {"Extra": str(i)}, "price": "1"}, shop.admin) for i in range(10)])
    expect(statuses(answers) == {201: 2, 400: 8}, f"answers {statuses(answers)}")


@attack
def user_changes(shop):
    """One administrator takes a user's role away, one corrects the name, one the picture, at once, 25 times over. Every change that was acknowledged holds, so no right comes back."""
    user, token = shop.customer()
    roles = {row["name"]: row["id"] for row in shop.call("GET", "/auth/roles", token=shop.admin).json()}
    readers = shop.role(["read:user"])

    def role(i):
        return roles["Customer"] if i % 2 else readers

    def look(i):
        seen = shop.call("GET", f"/auth/users/{user}", token=shop.admin).json()
        may = shop.call("GET", "/auth/users?limit=1", token=token).status
        expect(may == (403 if i % 2 else 200), f"round {i}: who has the role {seen['role']['name']} is told {may}")
        return {**seen, "role": seen["role"]["id"]}, {"name": f"Attack {i}", "profileImage": f"/images/{i}.png", "role": role(i)}
    shop.both_hold(f"/auth/users/{user}", {"name": lambda i: {"name": f"Attack {i}"}, "profileImage": lambda i: {"profileImage": f"/images/{i}.png"},
                                           "role": lambda i: {"roleId": role(i)}}, look)


@attack
def deactivation_against_role_change(shop):
    """An account is closed, or opened again, while its role changes and its name is corrected, 25 times over. All three hold: nothing opens an account but who opens it."""
    user, token = shop.customer()
    roles = [shop.role(["read:user"]), shop.role(["read:order"])]

    def look(i):
        seen = shop.call("GET", f"/auth/users/{user}", token=shop.admin).json()
        may = shop.call("GET", "/auth/me", token=token).status
        expect(may == (200 if i % 2 else 401), f"round {i}: an account with isActive {seen['isActive']} is told {may}")
        return {**seen, "role": seen["role"]["id"]}, {"isActive": i % 2 == 1, "role": roles[i % 2], "name": f"Attack {i}"}
    shop.both_hold(f"/auth/users/{user}", {"role": lambda i: {"roleId": roles[i % 2]}, "name": lambda i: {"name": f"Attack {i}"},
                                           "isActive": lambda i: ("POST", f"/auth/users/{user}/activate", {}, shop.admin) if i % 2 else
                                                                 ("DELETE", f"/auth/users/{user}", None, shop.admin)}, look)


@attack
def role_changes(shop):
    """One administrator changes a role's description, two give it different permissions, at once, 25 times over. It has one of the two sets, never rights of both."""
    known = {row["name"]: row["id"] for row in shop.call("GET", "/auth/permissions", token=shop.admin).json()}
    sets = [["adjust:stock", "read:stock"], ["read:order", "read:user", "update:order"]]
    role = shop.role(sets[0])

    def look(i):
        seen = shop.call("GET", f"/auth/roles/{role}", token=shop.admin).json()
        permissions = sorted(permission["name"] for permission in seen["permissions"])
        expect(permissions in sets, f"round {i}: the role may {permissions}")
        return seen, {"description": f"text {i}"}
    shop.both_hold(f"/auth/roles/{role}", {"description": lambda i: {"description": f"text {i}"},
                                           **{str(which): lambda i, wanted=wanted: {"permissionIds": [known[name] for name in wanted]} for which, wanted in enumerate(sets)}}, look)


@attack
def role_deletion_against_assignment(shop):
    """A role is deleted while somebody is given it, 15 times over. Either it is given and stays, or it is gone and nobody has it."""
    user, _ = shop.customer()
    for _ in range(15):
        role = shop.role(["read:user"])
        given, deleted = shop.race([("PUT", f"/auth/users/{user}", {"roleId": role}, shop.admin), ("DELETE", f"/auth/roles/{role}", None, shop.admin)])
        expect((given.status, deleted.status) in ((200, 409), (400, 204)), f"given {given}, deleted {deleted}")
        has = shop.call("GET", f"/auth/users/{user}", token=shop.admin).json()["role"]["id"] == role
        expect(has == (given.status == 200), f"given {given}, deleted {deleted}, has it: {has}")


# --- people

@attack
def same_email(shop):
    """10 people register one address at once, in different spelling. One account."""
    name = shop.name()
    answers = shop.race([("POST", "/auth/register", {"name": "Attack", "email": f"{name if i % 2 else name.upper()}@example.org", "password": "secret-1"}) for i in range(10)])
    expect(statuses(answers) == {201: 1, 409: 9}, f"answers {statuses(answers)}")


@attack
def role_change_against_use(shop):
    """A clerk adjusts stock while the right is taken from the role. Every answer is 201 or 403, the stock is what the 201s say, and after 30 s at most there are only 403s."""
    _, (variant,) = shop.product(stock=0)
    user, token = shop.customer()
    role = shop.role(["adjust:stock", "read:stock"])
    expect(shop.call("PUT", f"/auth/users/{user}", {"roleId": role}, shop.admin).status == 200, "no role given")
    adjust = ("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": 1, "type": "ADMIN_UPDATE"}, token)
    expect(eventually(lambda: shop.call(*adjust).status == 201, RIGHTS_LIMIT_S), "the right was never given")
    with shop.meanwhile([adjust]) as used:
        expect(shop.call("PUT", f"/auth/roles/{role}", {"permissionIds": []}, shop.admin).status == 200, "the right cannot be taken")
        expect(eventually(lambda: len(used) > 20 and set(statuses(used[-20:])) == {403}, RIGHTS_LIMIT_S), f"the right still works after {RIGHTS_LIMIT_S} s")
    expect(set(statuses(used)) <= {201, 403}, f"answers {statuses(used)}")
    shop.ledger(variant)
    turned = [answer.status for answer in used].index(403)
    expect(shop.replicas or all(answer.status == 403 for answer in used[turned:]), "the right came back")  # of several, each learns of it in its own time
    expect(shop.stock(variant) == 1 + statuses(used).get(201, 0), f"stock {shop.stock(variant)}, answers {statuses(used)}")
    expect({answer.status for answer in shop.race([adjust] * 5)} == {403}, "after the end somebody adjusted")


@attack
def deactivation_against_order(shop):
    """A customer orders while the account is closed. Every 201 is an order; after 30 s at most there are only 401s."""
    _, (variant,) = shop.product(stock=100_000)
    user, token = shop.customer()
    with shop.meanwhile([shop.order([(variant, 1)], token)] * 1) as used:
        expect(eventually(lambda: len(used) > 3), "no orders")
        expect(shop.call("DELETE", f"/auth/users/{user}", token=shop.admin).status == 204, "cannot be closed")
        expect(eventually(lambda: used[-1].status == 401, RIGHTS_LIMIT_S), f"a closed account orders after {RIGHTS_LIMIT_S} s")
    expect(set(statuses(used)) <= {201, 401}, f"answers {statuses(used)}")
    expect(shop.stock(variant) == 100_000 - statuses(used)[201], f"stock {shop.stock(variant)}, answers {statuses(used)}")


@attack
def last_administrator(shop):
    """Two administrators, where there is no third, take each other's role or close each other's account at once, 12 times over. One of them stays."""
    me = shop.call("GET", "/auth/me", token=shop.admin).json()["id"]
    roles = {row["name"]: row["id"] for row in shop.call("GET", "/auth/roles", token=shop.admin).json()}
    others = [row for row in shop.call("GET", f"/auth/users?roleId={roles['ADMIN']}&limit=100&isActive=true", token=shop.admin).json()["data"] if row["id"] != me]
    expect(not others, f"there are other administrators, which would prove nothing and may leave you without your role: {[row['email'] for row in others]}")
    user, token = shop.customer()

    def role(who, name, by):
        return "PUT", f"/auth/users/{who}", {"roleId": roles[name]}, by

    def close(who, by):
        return "DELETE", f"/auth/users/{who}", None, by
    expect(shop.call(*role(user, "ADMIN", shop.admin)).status == 200, "no second administrator")
    try:
        for i in range(12):
            answers = shop.race([close(user, shop.admin) if i & 1 else role(user, "Customer", shop.admin), close(me, token) if i & 2 else role(me, "Customer", token)])
            won = [answer.status in (200, 204) for answer in answers]
            expect(sum(won) == 1 and all(answer.status in (200, 204, 401, 403) for answer in answers), f"round {i}: answers {answers}")
            lost, survivor = (user, shop.admin) if won[0] else (me, token)
            back = shop.call("POST", f"/auth/users/{lost}/activate", {}, survivor) if answers[not won[0]].status == 204 else shop.call(*role(lost, "ADMIN", survivor))
            expect(back.status == 200, f"what was taken cannot be given back: {back}")
    finally:
        expect(shop.call(*role(user, "Customer", shop.admin)).status == 200, "the second administrator's role stays")


# --- carts

@attack
def cart_adds(shop):
    """100 tabs add one piece to one cart at once. 100 pieces."""
    product, (variant,) = shop.product(stock=1000)
    cart = shop.call("POST", "/carts", {}).json()["id"]
    answers = shop.race([("POST", f"/carts/{cart}/items", {"productId": product, "variantId": variant, "quantity": 1, "price": 10})] * 100)
    expect(statuses(answers) == {200: 100}, f"answers {statuses(answers)}")
    items = shop.call("GET", f"/carts/{cart}").json()["items"]
    expect([item["quantity"] for item in items] == [100], f"{[item['quantity'] for item in items]}")


@attack
def association_against_add(shop):
    """A guest's cart is associated while 30 different lines are added to it. Every line that was acknowledged is in it, once."""
    made = [(product, variant) for product, variants in (shop.product(variants=15) for _ in range(2)) for variant in variants]
    user, token = shop.customer()
    cart = shop.call("POST", "/carts", {}).json()["id"]
    adds = [("POST", f"/carts/{cart}/items", {"productId": product, "variantId": variant, "quantity": 1, "price": 10}, token) for product, variant in made]
    answers = shop.race(adds + [("POST", "/carts/associate", {"cartId": cart, "userId": user}, token)])
    expect(statuses(answers) == {200: len(made) + 1}, f"answers {statuses(answers)}")
    kept = shop.call("GET", f"/carts/{cart}", token=token).json()
    expect(kept["userId"] == user and sorted(item["variantId"] for item in kept["items"]) == sorted(variant for _, variant in made),
           f"{len(kept['items'])} of {len(made)} lines, user {kept['userId']}")


@attack
def two_owners(shop):
    """Two customers associate one guest cart at once. One of them owns it; the other cannot see it."""
    for _ in range(5):
        cart = shop.call("POST", "/carts", {}).json()["id"]
        people = [shop.customer(), shop.customer()]
        answers = shop.race([("POST", "/carts/associate", {"cartId": cart, "userId": user}, token) for user, token in people])
        seen = [shop.call("GET", f"/carts/{cart}", token=token).status for _, token in people]
        expect(sorted(seen) == [200, 404], f"associated {answers}, seen {seen}")


@attack
def cart_total_against_order_total(shop):
    """A cart is filled, the price rises, lines are added while the order is placed. The order has the catalogue's prices and exactly its own lines."""
    product, (a, b) = shop.product(stock=100, price="10", variants=2)
    cart = shop.call("POST", "/carts", {}).json()["id"]
    shop.call("POST", f"/carts/{cart}/items", {"productId": product, "variantId": a, "quantity": 2, "price": 0.01})
    shop.call("PUT", f"/products/variants/{a}", {"price": "25"}, shop.admin)
    lines = [(item["variantId"], item["quantity"]) for item in shop.call("GET", f"/carts/{cart}").json()["items"]]
    ordered, _ = shop.race([shop.order(lines), ("POST", f"/carts/{cart}/items", {"productId": product, "variantId": b, "quantity": 5, "price": 10})])
    expect(ordered.status == 201 and ordered.json()["totalAmount"] == "50", f"{ordered}")
    expect((shop.stock(a), shop.stock(b)) == (98, 100), f"stock {shop.stock(a)}, {shop.stock(b)}")


def eventually(check, limit_s=10.0):
    end = time.monotonic() + limit_s
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


CART_ATTACKS = {"cart-adds", "association-against-add", "two-owners", "cart-total-against-order-total"}


def run(target, names):
    faults = 0
    for name in names:
        begun = time.monotonic()
        try:
            ATTACKS[name](target)
            print(f"ok    {name} ({time.monotonic() - begun:.1f} s)")
        except Exception as error:  # noqa: BLE001: any trouble is a fault of this attack, and the others go on
            faults += 1
            print(f"FAULT {name}: {type(error).__name__ if not isinstance(error, Fault) else ''} {error}")
    print(f"{len(names)} attacks, {faults} faults")
    return 1 if faults else 0


def main(arguments=None):
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url")
    options.add_argument("--admin", default="admin@admin.com:password", metavar="EMAIL:PASSWORD")
    options.add_argument("--list", action="store_true")
    options.add_argument("names", nargs="*", metavar="NAME")
    options = options.parse_args(arguments)
    if options.list:
        for name, function in ATTACKS.items():
            print(f"| `{name}` | {function.__doc__} |")
        return 0
    unknown = set(options.names) - set(ATTACKS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; --list names them", file=sys.stderr)
        return 2
    names = options.names or list(ATTACKS)
    document = (HERE.parent.parent / "docs" / "attacks.md").read_text()
    missing = [name for name, function in ATTACKS.items() if f"| `{name}` | {function.__doc__} |" not in document]
    if missing:
        print(f"docs/attacks.md does not say of {', '.join(missing)} what --list says")
        return 1
    if options.url:
        url = urllib.parse.urlparse(options.url)
        email, _, password = options.admin.partition(":")
        return run(Target(url.hostname, url.port or 80, email, password), names)
    if os.environ.get("SHOP_STACK"):
        from stack import Stack
        shop = Stack(os.environ["SHOP_STACK"])
        return run(Target(shop.host, shop.port, *lib.ADMIN), names)
    from shops import mode
    with mode() as shop:
        deadlocks = shop.deadlocks()
        faults = run(Target(shop.host, shop.port, *shop.administrator, replicas=shop.mode == "distributed"), names)
        deadlocks = shop.deadlocks() - deadlocks
        print(f"{deadlocks} deadlocks")
        return 1 if faults or deadlocks else 0


if __name__ == "__main__":
    sys.exit(main())
