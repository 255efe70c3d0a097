#!/usr/bin/env python3
"""Faults on the wire: every store and the peer, each in every way of gate.py, under a distributed shop. Answers come in time and are right, no process
ends, nothing leaks, other routes go on, and within 2 s after the wire is whole the same request succeeds.

usage: faults.py [--quick] [STORE:FAULT ...]      as redis:cut
"""
import argparse
import json
import pathlib
import sys
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from gate import FAULTS  # noqa: E402
import shops  # noqa: E402
from judge import catalogue, wait_for_quiet  # noqa: E402

BUDGET_MS = 2000       # what the caller's deadline leaves; a fault costs no more than that
SLACK_S = 0.1
HEALS_S = 2.0
CHECK_INTERVAL_S = 12  # Consul asks every service's health each 10 s (contract, section 15)
GATED = ["postgres", "redis", "kafka", "elasticsearch", "consul", "peer"]
QUICK = ["down", "timeout", "corrupt"]
DESCRIPTORS = 25       # more than before, at the end


class Case:
    """What needs the store, and what does not."""

    def __init__(self, stack, store, variants, products):
        self.stack, self.store, self.variants, self.products, self.orders = stack, store, variants, products, {}

    def order(self, key):
        body = {"guestEmail": "fault@example.org", "phone": key, "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": self.variants[0], "quantity": 1}]}
        answer = self.ask("order-service", "POST", "/", body, {"Idempotency-Key": key})
        if answer.status == 201:
            before = self.orders.setdefault(key, answer.body)
            assert before == answer.body, f"order {key} was answered differently: {before} and {answer.body}"
        return answer

    def ask(self, service, method, path, body=None, headers=None):
        return self.stack.internal(service, method, path, body, identity="api-gateway", limit_s=20, headers={"X-Request-Budget-Ms": str(BUDGET_MS), **(headers or {})})

    def needing(self, key):
        if self.store in ("postgres", "peer", "kafka"):
            return self.order(key)
        if self.store == "redis":
            return self.ask("cart-service", "GET", f"/{self.cart()}")
        if self.store == "elasticsearch":
            return self.ask("search-service", "GET", f"/products?q=fault&page=1&maxPrice={1000 + len(key)}")
        return self.stack.client(timeout=20).get(f"/products/id/{self.products[0]}")  # consul: the gateway's view

    def cart(self):
        return "7a55f062-5893-4917-b0c9-f1be49d8b2ed"

    def indifferent(self):
        if self.store == "elasticsearch":
            return self.ask("product-service", "GET", f"/id/{self.products[0]}")
        if self.store in ("postgres", "peer"):
            return self.ask("search-service", "GET", "/products?q=fault")
        return self.ask("product-service", "GET", f"/id/{self.products[0]}")

    def right(self, answer):
        """A success that is true, or a refusal that says that it is not our fault and not the caller's."""
        if answer.status in (502, 503, 504):
            return self.store not in ("kafka", "consul") and (answer.status != 503 or "Retry-After" in answer.headers)
        if answer.status not in (200, 201):
            return False
        if self.store == "elasticsearch":
            return "data" in answer.json() and answer.json()["pagination"]["total"] > 0
        return True


def timed(call, *arguments):
    begun = time.monotonic()
    return call(*arguments), time.monotonic() - begun


def cell(stack, store, fault, variants, products):
    """(what is wrong, seconds until healed, statuses)"""
    case, wrong, gate = Case(stack, store, variants, products), [], stack.gate[store]
    tag = f"{store}-{fault}-{uuid.uuid4().hex[:6]}"
    statuses, lock, slowest = [], threading.Lock(), 0.0
    end = time.monotonic() + CHECK_INTERVAL_S  # Consul may have found a service ill while its store was
    while (before := case.needing(f"{tag}-before")).status not in (200, 201) and time.monotonic() < end:
        time.sleep(0.1)
    if before.status not in (200, 201):
        wrong.append(f"before: {before}")
    gate.set(fault)

    def during(number):
        nonlocal slowest
        try:
            answer, took = timed(case.needing, f"{tag}-{number}")
        except Exception as error:  # noqa: BLE001: no answer at all is what must not be
            wrong.append(f"no answer: {error!r}")
            return
        with lock:
            statuses.append(answer.status)
            slowest = max(slowest, took)
            if not case.right(answer):
                wrong.append(f"{answer}")

    threads = [threading.Thread(target=during, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    other, took = timed(case.indifferent)
    if other.status != 200:
        wrong.append(f"a route that does not need it: {other}")
    for thread in threads:
        thread.join(30)
    if slowest > BUDGET_MS / 1000 + SLACK_S:
        again = timed(case.needing, f"{tag}-again")[1]  # the machine may have been busy for a moment
        if again > BUDGET_MS / 1000 + SLACK_S:
            wrong.append(f"answered after {slowest:.2f} and {again:.2f} s, the deadline was {BUDGET_MS / 1000} s")
    gate.set("open")
    healing, healed = time.monotonic(), None
    while time.monotonic() - healing < 20:
        answer = case.needing(f"{tag}-0")  # under the key of a request that met the fault
        if answer.status in (200, 201):
            healed = time.monotonic() - healing
            break
        time.sleep(0.05)
    if healed is None or healed > HEALS_S:
        wrong.append(f"not healed after {HEALS_S} s: {healed and f'{healed:.1f} s' or answer}")
    fault_text = stack.ended_by_itself()
    if fault_text:
        wrong.append(fault_text)
    return wrong, healed or 99, statuses


def found(stack, product_name):
    return stack.client().get(f"/search/products?q={product_name}").json().get("pagination", {}).get("total", 0) > 0


def matrix(stack, cells):
    """Runs the cells on a gated stack; the number of cells with faults."""
    client = stack.admin()
    made = catalogue(client, 1, 2, 100_000, tag=f"fault-{uuid.uuid4().hex[:6]}")
    variants, products = list(made), sorted(set(made.values()))
    end = time.monotonic() + 60
    while not found(stack, "fault"):
        assert time.monotonic() < end, "the product was never indexed"
        time.sleep(0.1)
    descriptors = stack.descriptors()
    bad = 0
    for store, fault in cells:
        wrong, healed, statuses = cell(stack, store, fault, variants, products)
        bad += bool(wrong)
        print(f"{'FAULT' if wrong else 'ok   '} {store} {fault}: {statuses}, healed after {healed:.2f} s", flush=True)
        for text in wrong[:4]:
            print(f"      {text[:500]}")
    for name, count in stack.descriptors().items():
        more = count - descriptors[name]
        if more > DESCRIPTORS:
            bad += 1
            print(f"FAULT {name} has {more} more descriptors than before")
    # the events of all that was ordered arrive, and nothing is lost or doubled
    took, report = wait_for_quiet(stack.doctor, 45)
    if report["findings"] or report["waiting"]:
        bad += 1
        print(f"FAULT afterwards: {json.dumps(report)[:1500]}")
    name = f"healed{uuid.uuid4().hex[:8]}"
    assert client.post("/products", {"sku": name, "name": {"en": name}}).status == 201
    begun = time.monotonic()
    while not found(stack, name) and time.monotonic() - begun < 20:
        time.sleep(0.05)
    searchable = time.monotonic() - begun
    if searchable > 5:
        bad += 1
        print(f"FAULT a product is searchable only after {searchable:.1f} s")
    client.close()
    print(f"{len(cells)} cells, {bad} faults; quiet after {took:.1f} s; a new product searchable after {searchable * 1000:.0f} ms")
    return bad


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("cells", nargs="*")
    options = options.parse_args()
    cells = [tuple(text.split(":")) for text in options.cells] or [(store, fault) for store in GATED for fault in (QUICK if options.quick else FAULTS)]
    with shops.apart(gated=True) as stack:
        return 1 if matrix(stack, cells) else 0


if __name__ == "__main__":
    sys.exit(main())
