#!/usr/bin/env python3
"""Hot stock: 200 buyers on 10 variants of 100 units, several in one order, lines in any order. Exactly 1 000 units are sold, every
refusal is a 409, nothing deadlocks.

usage: hot.py [--buyers 200] [--variants 10] [--units 100]
"""
import argparse
import multiprocessing
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from crowd import Unanswered, Wire  # noqa: E402
from judge import catalogue, stock_of, wait_for_quiet  # noqa: E402
from shops import mode  # noqa: E402

BUYERS_A_PROCESS = 50
LIMIT_S = 120


def buy(host, port, variants, number, sold, statuses, end):
    """Orders of up to three variants until one is refused, then each variant alone until it is gone."""
    rng, wire, left = random.Random(number), Wire(host, port, 60), list(variants)
    rng.shuffle(left)
    while left and time.monotonic() < end:
        several = statuses.get(409, 0) == 0
        lines = rng.sample(left, min(len(left), rng.randint(1, 3))) if several else [left[0]]
        body = {"guestEmail": f"buyer{number}@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY",
                "items": [{"variantId": variant, "quantity": 1} for variant in lines]}
        try:
            status, _, _ = wire.request("POST", "/orders", body)
        except Unanswered:
            status = "none"
        statuses[status] = statuses.get(status, 0) + 1
        if status == 201:
            for variant in lines:
                sold[variant] = sold.get(variant, 0) + 1
        elif status == 409 and len(lines) == 1:
            left.remove(lines[0])
    if left:
        statuses["gave up"] = 1
    wire.close()


def buyers(host, port, variants, numbers, pipe, end):
    results = [({}, {}) for _ in numbers]
    threads = [threading.Thread(target=buy, args=(host, port, variants, number, *result, end)) for number, result in zip(numbers, results)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(results)


def add(into, counts):
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("--buyers", type=int, default=200)
    options.add_argument("--variants", type=int, default=10)
    options.add_argument("--units", type=int, default=100)
    options = options.parse_args(arguments)
    with mode() as shop:
        client = shop.admin()
        variants = list(catalogue(client, 1, options.variants, options.units, tag=f"hot-{random.SystemRandom().randrange(10**9)}"))
        deadlocks = shop.deadlocks()
        context, begun, parts, sold, statuses = multiprocessing.get_context("fork"), time.monotonic(), [], {}, {}
        for first in range(0, options.buyers, BUYERS_A_PROCESS):
            mine, theirs = context.Pipe(False)
            numbers = range(first, min(first + BUYERS_A_PROCESS, options.buyers))
            parts.append((context.Process(target=buyers, args=(shop.host, shop.port, variants, numbers, theirs, begun + LIMIT_S), daemon=True), mine))
            parts[-1][0].start()
            theirs.close()
        for process, pipe in parts:
            if not pipe.poll(LIMIT_S + 60):
                raise AssertionError("The buyers never came back.")
            for own_sold, own_statuses in pipe.recv():
                add(sold, own_sold)
                add(statuses, own_statuses)
            process.join(10)
        took = time.monotonic() - begun
        deadlocks = shop.deadlocks() - deadlocks
        stock = stock_of(client, variants)
        client.close()
        quiet, report = wait_for_quiet(shop.doctor)
        wanted = options.variants * options.units
        print(f"buyers={options.buyers} sold={sum(sold.values())} of {wanted} deadlocks={deadlocks} statuses={dict(sorted(statuses.items(), key=str))}"
              f" seconds={took:.1f} requests_per_s={sum(statuses.values()) / took:.0f} quiet_s={quiet:.1f} mode={shop.mode}")
        good = (sum(sold.values()) == wanted and set(stock.values()) == {0} and set(statuses) == {201, 409} and deadlocks == 0
                and all(count == options.units for count in sold.values()) and not report["findings"] and not report["waiting"])
        if not good:
            print(f"  sold {sold}, stock {stock}, doctor {report}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
