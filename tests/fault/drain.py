#!/usr/bin/env python3
"""SIGTERM under load: whoever has a connection is answered to the end, only new connections are refused; the exit code is 0, and every order that was answered is there.

Many visitors on kept connections read and order without a pause; the shop is stopped in the middle, again and again. (A restart of one service of a distributed shop
under load is in tests/distributed/discovery.py.)
"""
import argparse
import pathlib
import sys
import tempfile
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from crowd import Unanswered, Wire  # noqa: E402
from judge import catalogue  # noqa: E402
from shops import Alone  # noqa: E402

VISITORS = 16


class Visitor(threading.Thread):
    """Asks until nobody takes its connection any more."""

    def __init__(self, shop, number, variant):
        super().__init__(daemon=True)
        self.wire, self.number, self.variant = Wire(shop.host, shop.port, 20), number, variant
        self.answers, self.orders, self.failed = 0, [], []

    def run(self):
        turn, answered = 0, time.monotonic()
        while True:
            turn += 1
            asked = time.monotonic()
            fresh = self.wire.socket is None
            try:
                if self.number % 2:
                    status, headers, body = self.wire.request("GET", "/products?limit=1")
                else:
                    order = {"guestEmail": "drain@example.org", "phone": f"{self.number}-{turn}", "paymentMethod": "CASH_ON_DELIVERY",
                             "items": [{"variantId": self.variant, "quantity": 1}]}
                    status, headers, body = self.wire.request("POST", "/orders", order, headers=(("Idempotency-Key", str(uuid.uuid4())),))
            except Unanswered as why:
                if not fresh:
                    self.failed.append(f"visitor {self.number}, request {turn} on a kept connection, {(asked - answered) * 1000:.0f} ms after the last answer: {why}")
                return
            answered = time.monotonic()
            self.answers += 1
            if status == 201:
                self.orders.append(body.split(b'"id":"', 1)[1][:36].decode())
            elif status != 200:
                self.failed.append(f"visitor {self.number}: {status} {body[:200]}")
            if headers.get("connection") == "close":
                self.wire.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    shop, faults, answers, orders, took = Alone(), [], 0, [], []
    with shop, tempfile.TemporaryDirectory() as folder:
        client = shop.admin()
        variant = next(iter(catalogue(client, 1, 1, 10_000_000)))
        client.close()
        for turn in range(options.rounds):
            if turn:
                shop.start()
            visitors = [Visitor(shop, number, variant) for number in range(VISITORS)]
            for visitor in visitors:
                visitor.start()
            time.sleep(0.7)
            begun = time.monotonic()
            code = shop.stop()
            took.append(time.monotonic() - begun)
            for visitor in visitors:
                visitor.join(30)
                faults += visitor.failed
                answers += visitor.answers
                orders += visitor.orders
            if code != 0:
                faults.append(f"the shop ended with {code}")
        file = pathlib.Path(folder) / "acknowledged"
        file.write_text("\n".join(orders) + "\n")
        code, report = shop.doctor("--acknowledged", str(file))
        if code != 0:
            faults.append(f"doctor: {report['findings'][:3]}")
    for fault in faults[:20]:
        print(f"  {fault}")
    print(f"{options.rounds} stops under load: {answers} answers, {len(orders)} orders, {len(faults)} failed; the longest stop took {max(took):.2f} s")
    return 1 if faults or len(orders) < 10 * options.rounds else 0


if __name__ == "__main__":
    sys.exit(main())
