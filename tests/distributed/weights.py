#!/usr/bin/env python3
"""Shares of the traffic at run time, `shopctl weights`: tests/distributed/weights.py, against the stack that SHOP_STACK names, or one of its own.

A third product-service joins, of another version. Shares are measured as each instance counts what it answered, through both gateways, and may be
off by a quarter of themselves: 100, 300 and 0 of 400 are 25 %, 75 % and nothing at all.
"""
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
import stack as stacks  # noqa: E402

sys.path.insert(0, str(HERE))
from discovery import Load, answered_by, consul, settled  # noqa: E402

TOLERANCE = 0.25  # of a share
WITHIN_S = 1.0    # a change is everywhere
BUSY_S = 0.5      # and what a busy machine adds
THIRD, VERSION = "product-service-3", "9.9.9"


def weights(shop, *arguments, code=0):
    done = shop.shopctl("weights", *arguments)
    assert done.returncode == code, f"shopctl weights {' '.join(arguments)}: exit code {done.returncode} {done.stderr} {done.stdout}"
    return done.stderr if code else done.stdout


def listed(shop):
    rows = json.loads(weights(shop, "--json", "list"))
    return {row["instance"]: row for row in rows["instances"]}, rows["unused"]


def measured(shop, seconds=1.2, per_second=400):
    before = answered_by(shop, "product-service")
    with Load(shop, "/products?limit=1", per_second=per_second, threads=6) as load:
        time.sleep(seconds)
    load.check("weights")
    after = answered_by(shop, "product-service")
    return {name: after[name] - before[name] for name in after}


def expect_shares(shop, wanted):
    counts = measured(shop)
    total = sum(counts.values())
    for name, count in counts.items():
        share = wanted.get(name, 0) / sum(wanted.values())
        assert abs(count / total - share) <= TOLERANCE * share, f"{name} has {count} of {total}, {share:.0%} is right: {counts}"
    return "/".join(f"{count / total:.0%}" for count in counts.values())


class Third:
    """A product-service that was told of no Consul; it is registered by hand, under another version."""

    def __init__(self, shop):
        self.shop = shop
        services = shop.stack.services
        services[THIRD] = {**services["product-service-1"], "port": lib.free_port(), "pid": 0, "environment": {
            "CONSUL_AGENT_HOST": "", "AUTH_SERVICE_URL": self.address("auth-service-1"), "ORDER_SERVICE_URL": self.address("order-service-1"),
            "IMAGE_SERVICE_URL": self.address("image-service-1")}}
        shop.start(THIRD)
        self.register()

    def address(self, instance):
        return f"127.0.0.1:{self.shop.stack.services[instance]['port']}"

    def register(self):
        entry = self.shop.stack.services[THIRD]
        body = {"ID": THIRD, "Name": "product-service", "Address": "127.0.0.1", "Port": entry["port"], "Tags": ["product-service", "env:development", f"version:{VERSION}"]}
        assert consul(self.shop, "PUT", "/v1/agent/service/register", json.dumps(body))[0] == 200

    def end(self):
        consul(self.shop, "PUT", f"/v1/agent/service/deregister/{THIRD}")
        time.sleep(0.5)
        self.shop.stop(THIRD)
        del self.shop.stack.services[THIRD]
        self.shop.stack.save()


def told(shop):
    """Wrong names and numbers change nothing and are called by name."""
    assert "no NAME=WEIGHT" in weights(shop, "set", "product-service-1", code=1)
    for wrong in ("product-service-1=-1", "product-service-1=1001", "product-service-1=many", "product-service-1=", "=5", "product-service:=5", "product-service-1=1.5"):
        assert wrong in weights(shop, "set", wrong, code=1), wrong
    assert "prodct-service-1" in weights(shop, "set", "prodct-service-1=5", code=1)
    assert "no service" in weights(shop, "set", "prodct-service:0.1.0=5", code=1)
    assert "product-service:8.8.8" in weights(shop, "set", "product-service:8.8.8=5", code=1)
    assert "given twice" in weights(shop, "set", "product-service-1=5", "product-service-1=6", code=1)
    assert "cart-service" in weights(shop, "set", "cart-service-1=0", code=1), "the only cart-service may be left out without a word"
    assert "Nothing is said of" in weights(shop, "reset", "product-service-1", code=1)
    assert consul(shop, "GET", "/v1/kv/shop/weights")[0] == 404, "a refused command changed something"
    weights(shop, "--json", "set", "--ahead", "product-service:8.8.8=5")
    rows, unused = listed(shop)
    assert unused == {"product-service:8.8.8": 5} and all(row["weight"] == 100 and row["by"] == "" for row in rows.values()), (rows, unused)
    assert consul(shop, "PUT", "/v1/kv/shop/weights", "no JSON")[0] == 200
    assert "weights reset" in weights(shop, "list", code=1)
    weights(shop, "reset")
    nobody = subprocess.run([lib.program("shopctl"), "weights", "list"], capture_output=True, text=True, timeout=30,
                            env={name: value for name, value in os.environ.items() if name != "CONSUL_AGENT_HOST"})
    assert nobody.returncode == 1 and "CONSUL_AGENT_HOST is missing" in nobody.stderr, nobody


def shares(shop):
    weights(shop, "set", f"{THIRD}=0", "product-service-1=100", "product-service-2=300")
    time.sleep(WITHIN_S)
    rows, _ = listed(shop)
    assert [round(rows[name]["share"]) for name in ("product-service-1", "product-service-2", THIRD)] == [25, 75, 0], rows
    return expect_shares(shop, {"product-service-1": 100, "product-service-2": 300})


def canary(shop):
    """A version gets a tenth of what the others get, then as much, then everything; one command each."""
    known = next(row["version"] for name, row in listed(shop)[0].items() if name == "product-service-1")
    weights(shop, "reset")
    weights(shop, "set", f"product-service:{VERSION}=20")
    time.sleep(WITHIN_S)
    said = [expect_shares(shop, {"product-service-1": 100, "product-service-2": 100, THIRD: 20})]
    weights(shop, "set", f"product-service:{VERSION}=200")
    time.sleep(WITHIN_S)
    said.append(expect_shares(shop, {"product-service-1": 100, "product-service-2": 100, THIRD: 200}))
    weights(shop, "set", f"product-service:{known}=0")
    time.sleep(WITHIN_S)
    said.append(expect_shares(shop, {THIRD: 1}))
    weights(shop, "reset")
    return ", ".join(said)


def effective_within_a_second(shop):
    """Watched while requests run: the last one that an instance gets after its weight became 0."""
    time.sleep(WITHIN_S)
    worst = 0.0
    with Load(shop, "/products?limit=1", per_second=200) as load:
        for name in ("product-service-1", "product-service-2"):
            weights(shop, "set", f"{name}=0")
            begun, last, before = time.monotonic(), 0.0, answered_by(shop, "product-service")[name]
            while time.monotonic() - begun < WITHIN_S + 1.5:
                now = answered_by(shop, "product-service")[name]
                if now != before:
                    last, before = time.monotonic() - begun, now
                time.sleep(0.02)
            worst = max(worst, last)
            assert last < WITHIN_S + BUSY_S, f"{name} was asked {last:.2f} s after its weight became 0"
            weights(shop, "reset")
            back = time.monotonic()
            lib.eventually(lambda n=name, b=before: answered_by(shop, "product-service")[n] > b, WITHIN_S + BUSY_S)
            worst = max(worst, time.monotonic() - back)
    load.check("weights that change")
    return f"{worst:.2f} s at most"


def drained(shop):
    """What an instance has begun it ends: weight 0 takes nothing away."""
    sizes = []

    def slowly(port):
        client = lib.Client(shop.host, port, timeout=30)
        for _ in range(150):
            answer = client.get("/products?limit=100")
            assert answer.status == 200, answer
            sizes.append(len(answer.body))

    failed = []

    def guarded(port):
        try:
            slowly(port)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(shop.gateway(1 + n % 2),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for weight in (0, 100, 0, 100):
        weights(shop, "set", f"product-service-1={weight}")
        time.sleep(0.2)
    for thread in threads:
        thread.join(60)
    weights(shop, "reset")
    assert not failed and len(sizes) == 600, f"{len(failed)} of 4 readers failed: {failed[:1]}"
    return f"{len(sizes)} answers, none lost"


def main():
    with stacks.given_or_started() as shop:
        settled(shop)
        third = Third(shop)
        try:
            time.sleep(0.7)
            weights(shop, "reset")
            failed = stacks.run_tests(shop, (told, shares, canary, effective_within_a_second, drained))
        finally:
            weights(shop, "reset")
            third.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
