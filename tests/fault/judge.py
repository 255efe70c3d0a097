"""Compares what a crowd was told with what the shop has kept, through the API alone, and asks `shopctl doctor` for the rest."""
import dataclasses
import json
import random
import re
import time

from crowd import Wire

QUIET_S = 30  # after the last request: reservations of dead requests expire, events arrive


def catalogue(client, products, variants, stock, tag="crowd"):
    """Makes products; {variant: product}. `client` is an administrator."""
    made = {}
    for number in range(products):
        body = {"sku": f"{tag}-{number}", "name": {"en": f"{tag} {number}"},
                "variants": [{"attributes": {"Size": str(i)}, "price": f"{number + 1}.{i:02}", "initialStockQuantity": stock} for i in range(variants)]}
        answer = client.post("/products", body)
        assert answer.status == 201, answer
        made.update({variant["id"]: answer.json()["id"] for variant in answer.json()["variants"]})
    return made


def customers(client, count, tag="crowd"):
    """Registers customers; their tokens."""
    tokens = []
    for number in range(count):
        answer = client.post("/auth/register", {"name": f"Customer {number}", "email": f"{tag}-{number}@example.org", "password": "secret-1"}, token=None)
        assert answer.status == 201, answer
        tokens.append(answer.json()["token"])
    return tokens


def stock_of(client, variants):
    stock = {}
    for variant in variants:
        answer = client.get(f"/products/variants/{variant}")
        assert answer.status == 200, answer
        stock[variant] = answer.json()["stockQuantity"]
    return stock


def all_orders(client):
    orders, page = [], 1
    while True:
        answer = client.get(f"/orders?page={page}&limit=100&sortBy=createdAt&sortOrder=asc")
        assert answer.status == 200, answer
        orders += answer.json()["data"]
        if page >= answer.json()["pagination"]["totalPages"]:
            return orders
        page += 1


def wait_for_quiet(doctor, limit_s=QUIET_S):
    """Seconds until doctor finds nothing wrong and nothing under way; its last report."""
    begun = time.monotonic()
    while True:
        code, report = doctor()
        took = time.monotonic() - begun
        if not report["findings"] and not report["waiting"]:
            assert code == 0, report
            return took, report
        if took > limit_s:
            return took, report
        time.sleep(0.5)


@dataclasses.dataclass
class Verdict:
    checkouts: int = 0
    orders: int = 0
    acknowledged: int = 0
    oversold: int = 0
    lost: int = 0
    duplicate: int = 0
    availability: float = 0.0
    quiet_s: float = 0.0
    faults: list = dataclasses.field(default_factory=list)

    def line(self):
        return (f"checkouts={self.checkouts} orders={self.orders} oversold={self.oversold} lost={self.lost} duplicate={self.duplicate}"
                f" availability={self.availability:.4f} quiet_s={self.quiet_s:.1f}")


def lines_of(items):
    return sorted((item["variantId"], item["quantity"]) for item in items)


def judge(client, record, initial, doctor, host, port, replays=100, tokens=()):
    """`client`: an administrator; `initial`: stock by variant before the crowd came; `doctor()`: (exit code, report)."""
    verdict = Verdict(checkouts=len(record.intents), availability=record.good / max(1, record.attempts))
    verdict.faults += record.complaints[:20]
    verdict.quiet_s, report = wait_for_quiet(doctor)
    for finding in report["findings"][:20]:
        verdict.faults.append(f"doctor: {finding['invariant']} {finding['subject']}: {finding['message']} {finding['rows']}")
    if report["waiting"]:
        verdict.faults.append(f"still under way after {QUIET_S} s: {report['waiting']}")

    stored = {}
    for order in all_orders(client):
        stored.setdefault(order["phone"], []).append(order)
    verdict.orders = sum(map(len, stored.values()))
    sold = dict.fromkeys(initial, 0)
    known = {intent.key for intent in record.intents}
    for intent in record.intents:
        found = stored.get(intent.key, [])
        if len(found) > 1:
            verdict.duplicate += 1
            verdict.faults.append(f"{intent.key}: {len(found)} orders {[order['id'] for order in found]}")
        for answer in intent.replays_differ[:1]:
            verdict.duplicate += 1
            verdict.faults.append(f"{intent.key}: a repeated request was told {answer[0]} {answer[1][:100]!r}, at first {intent.answer[1][:100]!r}")
        told = json.loads(intent.answer[1]) if intent.answer and intent.answer[0] == 201 else None
        if told:
            verdict.acknowledged += 1
            if [order["id"] for order in found] != [told["id"]]:
                verdict.lost += 1
                verdict.faults.append(f"{intent.key}: told of order {told['id']}, kept are {[order['id'] for order in found]}")
                continue
            kept = found[0]
            if lines_of(kept["items"]) != lines_of(intent.body["items"]) or kept["totalAmount"] != told["totalAmount"]:
                verdict.lost += 1
                verdict.faults.append(f"{intent.key}: the order kept is not the one that was wanted: {kept['items']}")
            allowed = {"no": {"PENDING"}, "asked": {"PENDING", "CANCELLED"}, "done": {"CANCELLED"}, "refused": {"PENDING"}}[intent.cancel]
            if kept["status"] not in allowed:
                verdict.lost += 1
                verdict.faults.append(f"{intent.key}: status {kept['status']}, cancel was {intent.cancel}")
        elif intent.answer and intent.answer[0] not in (409,):
            verdict.faults.append(f"{intent.key}: answered {intent.answer[0]} {intent.answer[1][:200]!r}")
        elif intent.answer is None:
            verdict.faults.append(f"{intent.key}: never got a certain answer")
        for order in found:
            if order["status"] != "CANCELLED":
                for item in order["items"]:
                    sold[item["variantId"]] += item["quantity"]
    strangers = [phone for phone in stored if phone not in known and re.fullmatch(r"p\d+-\d+-\d+", phone)]
    if strangers:
        verdict.faults.append(f"orders that nobody wanted: {strangers[:5]}")

    adjusted = dict.fromkeys(initial, 0)
    for variant, change, status in record.adjustments:
        if status is None:
            verdict.faults.append(f"an adjustment of {variant} never got a certain answer")
        elif status == 201:
            adjusted[variant] += change
    for variant, quantity in stock_of(client, initial).items():
        expected = initial[variant] + adjusted[variant] - sold[variant]
        if quantity != expected or quantity < 0:
            verdict.oversold += 1
            verdict.faults.append(f"variant {variant}: stock {quantity}, but {initial[variant]} + {adjusted[variant]} - {sold[variant]} = {expected}")

    wire = Wire(host, port)
    acknowledged = [intent for intent in record.intents if intent.answer and intent.answer[0] == 201]
    for intent in random.Random(1).sample(acknowledged, min(replays, len(acknowledged))):
        token = tokens[intent.user] if intent.user >= 0 else None
        status, _, body = wire.request("POST", "/orders", intent.body, token, (("Idempotency-Key", intent.key),))
        if (status, body) != intent.answer:
            verdict.duplicate += 1
            verdict.faults.append(f"{intent.key}: replayed after the end it was told {status} {body[:200]!r}, at first {intent.answer[1][:200]!r}")
    for cart, bounds in record.carts:
        status, _, body = wire.request("GET", f"/carts/{cart}")
        kept = {item["variantId"]: item["quantity"] for item in json.loads(body).get("items", [])} if status == 200 else {}
        for variant, (least, most) in bounds.items():
            if not least <= kept.get(variant, 0) <= most:
                verdict.lost += 1
                verdict.faults.append(f"cart {cart}: {kept.get(variant, 0)} of {variant}, acknowledged were {least}, sent {most}")
    wire.close()
    return verdict


def failed(verdict):
    """Prints what was found; true when there is anything."""
    for fault in verdict.faults[:40]:
        print(f"  {fault}")
    return bool(verdict.faults or verdict.oversold or verdict.lost or verdict.duplicate)
