#!/usr/bin/env python3
"""A request's time goes with it: tests/distributed/deadlines.py, against the stack that SHOP_STACK names, or one of its own.

X-Request-Budget-Ms from gateway to order-service to product-service to PostgreSQL: who is slow at the end of that way is given up everywhere on it
within the time that was left, the statement on the server too; and nobody outside may set it.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
import stack as stacks  # noqa: E402

BUDGET_MS = 1500
BUSY_S = 0.5   # what a busy machine adds
WHOLE_MS = 15_000
GUEST = {"guestEmail": "deadline@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": None}


def as_gateway(shop, port, method, path, body=None, budget_ms=None, request_id=None):
    """To a service, as a gateway passes it on; (answer, seconds)."""
    headers = {"X-Internal-Token": shop.stack.internal_token, "X-Internal-Service": "api-gateway"}
    if budget_ms is not None:
        headers["X-Request-Budget-Ms"] = str(budget_ms)
    if request_id:
        headers["X-Request-Id"] = request_id
    begun = time.monotonic()
    answer = lib.Client("127.0.0.1", port, timeout=30).request(method, path, body, headers)
    return answer, time.monotonic() - begun


def in_time(answer, took, budget_ms, what):
    assert answer.status in (503, 504), f"{what}: {answer}"
    assert took <= budget_ms / 1000 + BUSY_S, f"{what}: answered after {took:.2f} s, {budget_ms} ms were left"
    assert answer.json()["message"], answer


def psql(shop, service="product-service"):
    return ["psql", "-X", "-q", "-A", "-t", shop.stack.database_url(service)]


def query(shop, sql):
    done = subprocess.run([*psql(shop), "-c", sql], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def locked(shop, variant):
    """Somebody else has the variant's row, and does not let go."""
    other = subprocess.Popen(psql(shop), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        other.stdin.write(f"BEGIN; SELECT 'mine' FROM variants WHERE id = '{variant}' FOR UPDATE;\n")
        other.stdin.flush()
        assert other.stdout.readline().strip() == "mine"
        yield
    finally:
        other.stdin.close()
        other.wait(10)
        other.stdout.close()


def waiting_statements(shop):
    return int(query(shop, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'product_db' AND application_name = 'shop' AND wait_event_type = 'Lock'"))


def port_of(shop, instance):
    return shop.stack.services[instance]["port"]


def log_lines(shop, service, request_id):
    lines = []
    for instance in shop.instances(service):
        text = shop.stack.log(instance).read_text(errors="replace")
        lines += [json.loads(line) for line in text.splitlines() if request_id in line and line.startswith("{")]
    return lines


def new_variant(shop, stock=9):
    made = shop.admin().post("/products", {"sku": f"DL-{uuid.uuid4().hex[:10]}", "name": {"en": "Late lamp"}, "variants": [{"price": 3, "initialStockQuantity": stock}]})
    assert made.status == 201, made
    return made.json()["variants"][0]["id"]


def order_of(variant):
    return {**GUEST, "items": [{"variantId": variant, "quantity": 1}]}


def stock(shop, variant):
    return shop.client().get(f"/products/variants/{variant}").json()["stockQuantity"]


def in_flight(shop, service):
    total = 0
    for instance in shop.instances(service):
        text = lib.Client("127.0.0.1", port_of(shop, instance)).get("/metrics").text
        total += int(float(re.search(r"^http_requests_in_flight\{[^}]*\} (\S+)$", text, re.M)[1])) - 1  # the scrape itself
    return total


def slow_database(shop):
    """A row that is taken: order-service and product-service answer in time, and the server is told to stop waiting."""
    variant, request = new_variant(shop), f"deadline-{uuid.uuid4().hex}"
    with locked(shop, variant):
        seen = []
        asked = threading.Thread(target=lambda: seen.append(as_gateway(shop, port_of(shop, "order-service-1"), "POST", "/", order_of(variant), BUDGET_MS, request)))
        asked.start()
        lib.eventually(lambda: waiting_statements(shop) == 1, BUDGET_MS / 1000)  # it does get as far as that
        asked.join(20)
        answer, took = seen[0]
        in_time(answer, took, BUDGET_MS, "an order for a variant whose row is taken")
        lib.eventually(lambda: waiting_statements(shop) == 0, 1.0)  # while the row is still taken: nobody waits for it any more
        lib.eventually(lambda: in_flight(shop, "product-service") == 0, 1.0)
        inner = lib.eventually(lambda: [line for line in log_lines(shop, "product-service", request) if line.get("route") == "/internal/stock/reserve"], 3)
        assert inner[0]["status"] in (503, 504) and inner[0]["duration"] <= BUDGET_MS, f"product-service goes on: {inner}"
    again, _ = as_gateway(shop, port_of(shop, "order-service-1"), "POST", "/", order_of(variant), WHOLE_MS)
    assert again.status == 201 and stock(shop, variant) == 8, f"after the row was free: {again}, {stock(shop, variant)} left of 9"
    return f"answered after {took:.2f} s, the inner call after {inner[0]['duration'] / 1000:.2f} s, of {BUDGET_MS / 1000} s"


def slow_product(shop):
    """Both replicas stand still: order-service gives them up in time, and works with them when they go on."""
    variant, pids = new_variant(shop), [shop.stack.services[name]["pid"] for name in shop.instances("product-service")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        answer, took = as_gateway(shop, port_of(shop, "order-service-1"), "POST", "/", order_of(variant), BUDGET_MS)
        in_time(answer, took, BUDGET_MS, "an order while every product-service stands still")
        cart, _ = as_gateway(shop, port_of(shop, "cart-service-1"), "GET", f"/{uuid.uuid4()}", None, BUDGET_MS)
        assert cart.status in (200, 201), f"a cart needs no product-service: {cart}"
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    lib.eventually(lambda: shop.client().get("/products?limit=1").status == 200, 20)
    again = lib.eventually(lambda: (lambda a: a[0] if a[0].status == 201 else None)(as_gateway(shop, port_of(shop, "order-service-1"), "POST", "/", order_of(variant), WHOLE_MS)), 20)
    assert again.status == 201
    return f"answered after {took:.2f} s"


def spent(shop):
    """With a millisecond left nothing is begun."""
    variant = new_variant(shop)
    for _ in range(20):
        answer, took = as_gateway(shop, port_of(shop, "order-service-1"), "POST", "/", order_of(variant), 1)
        in_time(answer, took, 1, "an order with a millisecond left")
    lib.eventually(lambda: stock(shop, variant) == 9, 60)
    for budget in ("0", "-5", "abc", "1e9", "99999999999999999999"):  # no budget at all
        answer, _ = as_gateway(shop, port_of(shop, "product-service-1"), "GET", "/?limit=1", None, budget)
        assert answer.status == 200, f"budget {budget}: {answer}"
    outside = shop.client().get("/products?limit=1", headers={"X-Request-Budget-Ms": "1"})
    assert outside.status == 200, f"somebody outside sets the budget: {outside}"


class Silent:
    """Takes requests and answers none; keeps what it was told, and whether the caller went away."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port, self.seen, self.let_go = self.listener.getsockname()[1], [], threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                begun, head = time.monotonic(), b""
                connection.settimeout(20)
                with contextlib.suppress(OSError):
                    while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                        head += piece
                    if not head:
                        continue
                    told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])}
                    entry = {"budget": int(told["x-request-budget-ms"]), "id": told["x-request-id"], "gone": None}
                    self.seen.append(entry)
                    connection.settimeout(0.05)
                    while not self.let_go.is_set() and time.monotonic() - begun < 20:
                        try:
                            if not connection.recv(65536):
                                entry["gone"] = time.monotonic() - begun
                                break
                        except TimeoutError:
                            continue
                        except OSError:
                            entry["gone"] = time.monotonic() - begun
                            break

    def end(self):
        self.let_go.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(25)


def told_and_let_go(shop):
    """What each hop is told, read where product-service would be; and that order-service hangs up when the time is over."""
    silent, services = Silent(), shop.stack.services
    apart = {"order-service-9": {"PRODUCT_SERVICE_URL": f"127.0.0.1:{silent.port}", "AUTH_SERVICE_URL": f"127.0.0.1:{port_of(shop, 'auth-service-1')}"}}
    try:
        for name, like in (("order-service-9", "order-service-1"), ("api-gateway-9", "api-gateway-1")):
            if name == "api-gateway-9":
                apart[name] = {"ORDER_SERVICE_URL": f"127.0.0.1:{port_of(shop, 'order-service-9')}"}
            services[name] = {**services[like], "port": lib.free_port(), "pid": 0, "environment": {"CONSUL_AGENT_HOST": "", **apart[name]}}
            shop.start(name)
        answer, took = as_gateway(shop, port_of(shop, "order-service-9"), "POST", "/", order_of(str(uuid.uuid4())), BUDGET_MS)
        in_time(answer, took, BUDGET_MS, "an order while product-service says nothing")
        first = lib.eventually(lambda: silent.seen and silent.seen[0]["gone"] and silent.seen[0], 3)
        assert BUDGET_MS / 2 <= first["budget"] < BUDGET_MS, f"product-service is told {first['budget']} ms of {BUDGET_MS}"
        assert first["gone"] <= BUDGET_MS / 1000 + BUSY_S, f"order-service hangs up after {first['gone']:.2f} s"

        client, request = lib.Client("127.0.0.1", port_of(shop, "api-gateway-9"), timeout=30), f"through-{uuid.uuid4().hex}"
        through = threading.Thread(target=lambda: client.post("/orders", order_of(str(uuid.uuid4())), headers={"X-Request-Id": request, "X-Request-Budget-Ms": "77"}))
        through.start()
        second = lib.eventually(lambda: next((each for each in silent.seen if each["id"] == request), None), 5)
        silent.let_go.set()
        through.join(20)
        assert WHOLE_MS - 3000 < second["budget"] < WHOLE_MS - 100, f"product-service is told {second['budget']} ms, two hops after a gateway that gives {WHOLE_MS}"
    finally:
        silent.end()
        for name in ("api-gateway-9", "order-service-9"):
            if name in services:
                shop.stop(name)
                del services[name]
        shop.stack.save()
    return f"told {first['budget']} of {BUDGET_MS} ms, hung up after {first['gone']:.2f} s; told {second['budget']} of {WHOLE_MS} ms two hops behind the gateway"


def main():
    with stacks.given_or_started() as shop:
        return 1 if stacks.run_tests(shop, (slow_database, slow_product, spent, told_and_let_go), sys.argv[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
