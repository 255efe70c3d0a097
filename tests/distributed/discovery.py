#!/usr/bin/env python3
"""Instances come and go: tests/distributed/discovery.py, against the stack that SHOP_STACK names, or one of its own.

A graceful restart and a crash under load, no healthy instance, Consul away and back, a deactivated account.
"""
import json
import http.client
import os
import re
import sys
import threading
import time
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
import stack as stacks  # noqa: E402


class Load:
    """Readers through both gateways, so many requests a second in all, until left; what they were answered."""

    def __init__(self, shop, path, per_second=60, threads=4):
        self.shop, self.path, self.pause, self.over = shop, path, threads / per_second, threading.Event()
        self.answers, self.lost = [], []
        self.threads = [threading.Thread(target=self.read, args=(i,)) for i in range(threads)]

    def read(self, number):
        client = lib.Client(self.shop.host, self.shop.gateway(1 + number % 2), timeout=20)
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                answer = client.get(self.path)
                self.answers.append((begun, answer.status))
                if answer.status != 200:
                    self.lost.append(answer)
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(error)
                client.close()
            self.over.wait(max(0.0, self.pause - (time.monotonic() - begun)))
        client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        time.sleep(1)
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def check(self, what):
        assert not self.lost, f"{what}: {len(self.lost)} of {len(self.answers)} failed, for example {self.lost[0]!r}"
        assert len(self.answers) > 15, f"{what}: only {len(self.answers)} requests"
        return len(self.answers)


def answered_by(shop, service):
    """How many requests each instance has answered, health aside."""
    counts = {}
    for instance in shop.instances(service):
        text = lib.Client("127.0.0.1", shop.stack.services[instance]["port"]).get("/metrics").text
        counts[instance] = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                               if line.startswith("http_requests_total") and "/health" not in line and 'route="none"' not in line)
    return counts


def gateway_metrics(shop):
    """What was passed on is counted under its prefix: bounded, and told apart by service and status."""
    client = shop.client()
    for path in ("/products?limit=1", "/products/id/00000000-0000-4000-8000-000000000000", "/search/products?q=x", "/nothing"):
        client.get(path)
    text = client.get("/metrics").text
    counted = {tuple(re.search(rf'[{{,]{label}="([^"]*)"', line)[1] for label in ("handler", "route", "status"))
               for line in text.splitlines() if line.startswith("http_requests_total{")}
    for wanted in (("product-service", "/products/*", "200"), ("product-service", "/products/*", "404"), ("search-service", "/search/*", "200"), ("api-gateway", "none", "404")):
        assert wanted in counted, f"{wanted} is not among {sorted(counted)}"
    assert not any(route == "none" for handler, route, _ in counted if handler != "api-gateway"), sorted(counted)


def consul(shop, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", shop.stack.port("consul"), timeout=10)
    connection.request(method, path, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def registration(shop):
    """As the contract says (section 15)."""
    status, text = consul(shop, "GET", "/v1/agent/services")
    services = json.loads(text)
    for instance, entry in shop.stack.services.items():
        found = services.get(instance)
        assert found, f"{instance} is not registered: {sorted(services)}"
        assert found["Service"] == entry["service"] and found["Port"] == entry["port"] and found["Address"] == "127.0.0.1", found
        assert found["Tags"][:2] == [entry["service"], "env:development"] and found["Tags"][2].startswith("version:"), found["Tags"]
    checks = json.loads(consul(shop, "GET", "/v1/agent/checks")[1])
    check = checks["service:product-service-1"]
    assert check["Interval"] == "10s" and check["Timeout"] == "5s", check


def settled(shop, service="product-service"):
    """All its instances pass, and the gateways have heard."""
    names = [f'"ID":"{name}"' for name in shop.instances(service)]
    def known():
        text = consul(shop, "GET", f"/v1/health/service/{service}?passing=1")[1].replace(" ", "")
        return all(name in text for name in names)
    lib.eventually(known, 20)
    time.sleep(0.7)


def graceful_restart(shop):
    settled(shop)
    with Load(shop, "/products?limit=1") as load:
        for instance in shop.instances("product-service"):
            begun = time.monotonic()
            shop.stop(instance)
            assert time.monotonic() - begun < 10, f"{instance} took its time to end"
            shop.start(instance)
            settled(shop)
    return f"{load.check('graceful restart')} requests, none failed"


def crash(shop):
    settled(shop)
    with Load(shop, "/products?limit=1") as load:
        for instance in shop.instances("product-service"):
            shop.kill(instance)
            time.sleep(1.5)
            shop.start(instance)
            settled(shop)
    return f"{load.check('kill -9')} requests, none failed"


def nobody_there(shop):
    """503, JSON, at once, with when to come back; and it heals."""
    shop.stop("cart-service-1")
    client = shop.client()
    begun = time.monotonic()
    answer = client.get("/carts/00000000-0000-4000-8000-000000000000")
    assert answer.status == 503 and "cart-service" in answer.json()["message"] and answer.headers["Retry-After"], answer
    assert time.monotonic() - begun < 2, "503 did not come at once"
    assert client.get("/products?limit=1").status == 200
    assert client.get("/carts/health").status == 503
    shop.start("cart-service-1")
    begun = time.monotonic()
    lib.eventually(lambda: client.get("/carts/health").status == 200, 20)
    return f"back {time.monotonic() - begun:.1f} s after it was ready"


def unknown_prefix(shop):
    for path in ("/reviews/product/x", "/nothing", "/payments/process"):
        answer = shop.client().get(path)
        assert answer.status == 404 and path in answer.json()["message"], answer


def deactivated(shop):
    """Refused everywhere within 5 s."""
    admin = shop.admin()
    email = f"gone-{os.urandom(6).hex()}@example.org"
    registered = shop.client().post("/auth/register", {"name": "Gone Soon", "email": email, "password": "password"})
    assert registered.status == 201, registered
    token = registered.json()["token"]
    visitors = [lib.Client(shop.host, shop.gateway(n), token) for n in (1, 2)]
    for visitor in visitors:
        assert visitor.get("/orders/my-orders").status == 200
    user = visitors[0].get("/auth/me").json()["id"]
    assert admin.delete(f"/auth/users/{user}").status == 204
    gone, last = time.monotonic(), 0.0
    left = [(visitor, path) for visitor in visitors for path in ("/auth/me", "/orders/my-orders")]
    while left:
        for visitor, path in list(left):
            asked = time.monotonic() - gone
            status = visitor.get(path).status
            assert status in (200, 401), status
            if status == 401:
                left.remove((visitor, path))
            else:
                last = asked
                assert asked < 5, f"{path} lets a deactivated account in, asked {asked:.1f} s after"
        time.sleep(0.1)
    return f"let in for the last time {last:.1f} s after"


def consul_away(shop):
    shop.component("kill9", "consul")
    with Load(shop, "/products?limit=1", per_second=40) as load:
        time.sleep(4)
        for n in (1, 2):
            assert lib.Client(shop.host, shop.gateway(n)).get("/search/products?q=x").status == 200
    load.check("Consul away")
    shop.component("start", "consul")
    begun = time.monotonic()
    with Load(shop, "/products?limit=1", per_second=40) as load:
        lib.eventually(lambda: set(shop.stack.services) <= set(json.loads(consul(shop, "GET", "/v1/agent/services")[1])), 30)
        back = time.monotonic() - begun
        time.sleep(2)
    load.check("Consul back with nothing in its memory")
    return f"all registered again after {back:.1f} s"


def main():
    tests = [registration, gateway_metrics, unknown_prefix, nobody_there, deactivated, graceful_restart, crash, consul_away]
    with stacks.given_or_started() as shop:
        return 1 if stacks.run_tests(shop, tests, sys.argv[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
