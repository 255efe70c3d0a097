#!/usr/bin/env python3
"""Three times what the shop can serve: it goes on serving what it can, and says 503 with Retry-After at once to the rest.

usage: overload.py [--seconds 30] [--times 3] [--least 0.9] [--mix checkout|browse|login]; SHOP_MODE=distributed for a process per service

First the maximum is measured, with as many connections as serve best (a closed load). Then requests are due at three times that rate, on
2 000 connections, whatever is answered (an open load). The shop in one process is kept on one processor and the load on the others, where there are several.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from crowd import Wire  # noqa: E402
from judge import catalogue, wait_for_quiet  # noqa: E402
from shop import program  # noqa: E402
from shops import Alone, mode  # noqa: E402

GOODPUT = 0.9
NORMAL_AGAIN_S = 2.0
MEMORY_MB = {"one process": 150, "distributed": 400}  # above idle: 2 000 connections, at every service on the way, and every bounded queue full


def requests_of(mix, variants, products):
    """What one visitor after the other asks."""
    order = [{"method": "POST", "path": "/orders", "expect": [201],
              "body": json.dumps({"guestEmail": "g@example.org", "phone": "{n}", "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": v, "quantity": 1}]})}
             for v in variants]
    browse = [{"method": "GET", "path": f"/products/id/{p}", "expect": [200]} for p in products] + [{"method": "GET", "path": "/products?limit=20", "expect": [200]}]
    login = [{"method": "POST", "path": "/auth/login", "expect": [200], "body": json.dumps({"email": Alone.administrator[0], "password": Alone.administrator[1]})}]
    return {"checkout": order, "browse": browse, "login": login}[mix]


def load(shop, file, cpus, **options):
    command = [program("load"), "--connect", f"{shop.host}:{shop.port}", "--requests", file]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Memory(threading.Thread):
    """The largest resident size while it runs."""

    def __init__(self, shop):
        super().__init__(daemon=True)
        self.shop, self.most, self.over = shop, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            self.most = max(self.most, self.shop.resident_mb())


def sample(shop, seconds, wire=None, method="GET", path="/products?limit=20", body=None):
    """(time since the start, duration, status, has Retry-After) of single requests, one after the other."""
    seen, begun = [], time.monotonic()
    wire = wire or Wire(shop.host, shop.port, 30)
    while (at := time.monotonic() - begun) < seconds:
        status, headers, _ = wire.request(method, path, body)
        seen.append((at, time.monotonic() - begun - at, status, "retry-after" in headers))
        time.sleep(0.01)
    return seen


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--times", type=float, default=3)
    options.add_argument("--least", type=float, default=GOODPUT, help="goodput, of the maximum, that is demanded")
    options.add_argument("--mix", default="checkout", choices=["checkout", "browse", "login"])
    options.add_argument("--connections", type=int, default=2000)
    options = options.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    shops, loads = (set(cpus[:1]), set(cpus[1:])) if len(cpus) > 1 else (set(cpus), set(cpus))
    with mode(arguments=("--log-level", "off", "--logins-per-minute", "1000000")) as shop, tempfile.TemporaryDirectory() as folder:
        for task in os.listdir(f"/proc/{shop.process.pid}/task") if shop.mode == "one process" else []:
            os.sched_setaffinity(int(task), shops)
        loads = loads if shop.mode == "one process" else set(cpus)
        client = shop.admin()
        made = catalogue(client, 20, 4, 10_000_000)
        client.close()
        file = str(pathlib.Path(folder) / "requests")
        pathlib.Path(file).write_text("\n".join(map(json.dumps, requests_of(options.mix, list(made), sorted(set(made.values()))))))
        idle_mb = shop.resident_mb()
        normal = sorted(duration for _, duration, _, _ in sample(shop, 1))
        closed = {"login": (8,), "browse": (32, 256), "checkout": (128, 512)}[options.mix]
        maximum = max(load(shop, file, loads, connections=count, seconds=3, warm_up=0.5, first_number=count * 10**8)["per_second"] for count in closed)
        memory = Memory(shop)
        memory.start()
        probes = []
        probe = threading.Thread(target=lambda: probes.extend(sample(shop, options.seconds - 1)), daemon=True)
        probe.start()
        for first in (4 * 10**11, 5 * 10**11):  # once more when other work on the machine may have taken its share
            over = load(shop, file, loads, connections=options.connections, seconds=options.seconds, warm_up=2, rate=maximum * options.times, first_number=first)
            good = sum(count for status, count in over["in_time"].items() if status.startswith("2")) / options.seconds  # what comes after the flood is no goodput
            if good >= options.least * maximum:
                break
        probe.join(60)
        after = sample(shop, NORMAL_AGAIN_S + 1)
        memory.over.set()
        again = load(shop, file, loads, connections=closed[-1], seconds=3, warm_up=0.5, first_number=7 * 10**11)["per_second"]
        maximum_by_both = min(maximum, again)  # the machine may have other work in one of the two
        statuses = {int(status): count for status, count in over["statuses"].items()}
        refused = sum(count for status, count in statuses.items() if status == 503)
        crowded_out = shop.crowded_out()
        limit = max(normal[int(len(normal) * 0.99)] * 3, 0.05)
        slow = [at + duration for at, duration, status, _ in after if status != 200 or duration > limit]
        quiet, report = wait_for_quiet(shop.doctor)
        print(f"mode={shop.mode} mix={options.mix} maximum={maximum:.0f}/s afterwards={again:.0f}/s offered={maximum * options.times:.0f}/s goodput={good:.0f}/s ratio={good / maximum_by_both:.2f}"
              f" refused={refused} crowded_out={crowded_out} statuses={statuses} p99_ms={over['p99_us'] / 1000:.0f} idle_mb={idle_mb:.0f} most_mb={memory.most:.0f}"
              f" normal_again_s={max(slow, default=0):.2f} quiet_s={quiet:.0f} probes={len(probes)} probe_p99_ms={sorted(p[1] for p in probes)[int(len(probes) * .99)] * 1000:.0f}")
        faults = []
        if good < options.least * maximum_by_both:
            faults.append(f"goodput fell to {good / maximum_by_both:.2f} of the maximum")
        if set(statuses) - {200, 201, 503}:
            faults.append(f"answers other than success and 503: {statuses}, {over['first_unexpected']}")
        if shop.mode == "distributed" and refused and not crowded_out:
            faults.append("the services' metrics know nothing of the requests that were refused")
        if over["refusals_without_retry_after"]:
            faults.append(f"{over['refusals_without_retry_after']} answers 503 without Retry-After")
        if memory.most - idle_mb > MEMORY_MB[shop.mode]:
            faults.append(f"memory rose by {memory.most - idle_mb:.0f} MB")
        if slow and max(slow) > NORMAL_AGAIN_S:
            faults.append(f"not normal again after {NORMAL_AGAIN_S} s: {max(slow):.2f} s")
        if any(status == 503 and not retry for _, _, status, retry in probes):
            faults.append("a 503 without Retry-After")
        if report["findings"] or report["waiting"]:
            faults.append(f"doctor after {quiet:.0f} s: {len(report['findings'])} findings, {report['findings'][:2]}, under way {report['waiting']}")
        for fault in faults:
            print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
