#!/usr/bin/env python3
"""The shop seen from outside: tests/scenario/outside.py. Its log, its metrics, its health, and what none of them may tell.

Every request leaves one JSON line on stdout with the ids of its trace; a trace goes on through the events; metrics are Prometheus text with
histograms by route template that resolve below a millisecond; passwords and tokens are in no log.
"""
import json
import pathlib
import re
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (-?[\d.eE+-]+|\+Inf|-Inf|NaN)')


def line_of(shop, **wanted):
    def find():
        for line in shop.log_lines():
            if all(line.get(k) == v for k, v in wanted.items()):
                return line
        return None
    return lib.eventually(find)


def settled(shop):
    """The log is written by a thread of its own: once a later request stands in it, all before it do."""
    marker = shop.client().get("/health").headers["X-Request-Id"]
    line_of(shop, requestId=marker)


def log(shop, admin):
    client = shop.client()
    product = client.get("/products?limit=1").json()["data"][0]
    client.get(f"/products/id/{product['id']}?q=1", headers={"traceparent": PARENT, "X-Request-Id": "my-request"})
    line = line_of(shop, requestId="my-request")
    assert line["traceId"] == TRACE and line["status"] == 200 and line["level"] == "info", line
    assert line["service"] == "product-service" and line["route"] == "/id/:id" and line["method"] == "GET", line
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) and line["instance"], line
    assert isinstance(line["duration"], (int, float)) and 0 < line["duration"] < 10_000, line

    answer = client.get("/no/such/path")
    line = line_of(shop, requestId=answer.headers["X-Request-Id"])
    assert line["status"] == 404 and line["service"] == "api-gateway", line
    for broken in ("00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-xyz-b7ad6b7169203331-01", "ff-" + TRACE + "-b7ad6b7169203331-01", ""):
        answer = client.get("/health", headers={"traceparent": broken, "X-Request-Id": "not usable\u00a0"} if broken else {})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"]), f"{broken!r}: {answer.headers['X-Request-Id']}"
        assert "0" * 32 != answer.headers["X-Request-Id"]

    # One request, one line, all of it JSON.
    for i in range(20):
        client.get("/products/categories", headers={"X-Request-Id": f"counted-{i}"})
    settled(shop)
    lines = [l for l in shop.log_lines() if str(l.get("requestId", "")).startswith("counted-")]
    assert sorted(l["requestId"] for l in lines) == sorted(f"counted-{i}" for i in range(20)), f"{len(lines)} lines for 20 requests"

    # The trace of an order goes on in the events that follow from it.
    variant = product["variants"][0]["id"]
    order = {"guestEmail": "trace@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": variant, "quantity": 1}]}
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    placed = client.post("/orders", order, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert placed.status == 201, placed

    def traced(topic):
        database = sqlite3.connect(f"file:{shop.data / 'events.db'}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute("SELECT count(*) FROM events WHERE topic = ? AND headers LIKE ?", (topic, f"%{trace}%")).fetchone()[0]
        finally:
            database.close()
    for topic in ("order_events", "product_events"):
        lib.eventually(lambda: traced(topic) > 0)


def versions(shop, admin):
    """The versions of an order's events increase, those of one change too: a consumer may drop what is not newer."""
    variant = admin.get("/products?limit=1").json()["data"][0]["variants"][0]["id"]
    order = {"guestEmail": "events@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": variant, "quantity": 1}]}
    placed = admin.post("/orders", order, token=None).json()
    for status in ("PAID", "CANCELLED"):
        assert admin.put(f"/orders/{placed['id']}/status", {"status": status}).status == 200

    def told():
        database = sqlite3.connect(f"file:{shop.data / 'events.db'}?mode=ro", uri=True, timeout=10)
        try:
            rows = database.execute("SELECT value FROM events WHERE topic = 'order_events' AND key = ? ORDER BY number", (placed["id"],))
            return [json.loads(value) for value, in rows]
        finally:
            database.close()
    events = lib.eventually(lambda: (found := told()) and len(found) >= 5 and found)
    assert [event["type"] for event in events] == ["ORDER_CREATED", "ORDER_PAID", "ORDER_STATUS_CHANGED", "ORDER_CANCELLED", "ORDER_STATUS_CHANGED"], events
    numbers = [event["version"] for event in events]
    assert numbers == sorted(set(numbers)), numbers


def callers():
    """Browsers of listed origins may call, others may not; /metrics is for listed addresses."""
    arguments = ["--cors-allow-origin", "https://shop.example.org, https://admin.example.org:8443", "--metrics-allow", "192.0.2.1,192.0.2.2"]
    with lib.OneProcess(demo=False, arguments=arguments) as shop:
        client = shop.client()
        for method, path, status in (("GET", "/products", 200), ("OPTIONS", "/products", 204), ("GET", "/nothing", 404)):
            for origin, allowed in (("https://shop.example.org", True), ("https://admin.example.org:8443", True), ("https://admin.example.org", False), (None, False)):
                answer = client.request(method, path, headers={"Origin": origin} if origin else {})
                assert answer.status == status, answer
                assert answer.headers["Access-Control-Allow-Origin"] == (origin if allowed else None), f"{origin}: {answer.headers}"
                assert any("Origin" in value for value in answer.headers.get_all("Vary")), answer.headers
        refused = client.get("/products/%00", headers={"Origin": "https://shop.example.org"})  # its head is not believed, nor is its Origin
        assert refused.status == 400 and refused.headers["Access-Control-Allow-Origin"] is None and refused.headers["Vary"] == "Origin", refused.headers
        assert client.get("/metrics").status == 404 and client.post("/metrics").status == 404
    with lib.OneProcess(demo=False, arguments=["--metrics-allow", "192.0.2.1,127.0.0.1"]) as shop:
        assert shop.client().get("/metrics").status == 200


def silence(shop, admin):
    client = shop.client()
    secrets = {"password": "a-password-nobody-may-read", "token": admin.token}
    client.post("/auth/register", {"name": "Quiet", "email": "quiet@example.org", "password": secrets["password"]})
    client.post("/auth/login", {"email": "quiet@example.org", "password": secrets["password"]})
    client.post("/auth/login", {"email": "quiet@example.org", "password": secrets["password"] + "!"})
    client.post("/auth/validate", {"token": admin.token})
    client.post("/auth/login", '{"email": "quiet@example.org", "password": "' + secrets["password"])  # malformed
    admin.get("/auth/me")
    order = client.post("/orders", {"guestEmail": "q@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY",
                                    "items": [{"variantId": client.get("/products?limit=1").json()["data"][0]["variants"][0]["id"], "quantity": 1}]}).json()
    secrets["guest_token"] = order["guest_token"]
    client.get(f"/orders/{order['id']}?guest_token={order['guest_token']}")
    client.post("/orders/guest-lookup", {"orderId": order["id"], "token": order["guest_token"]})
    client.post(f"/orders/{order['id']}/cancel?guest_token={order['guest_token']}")
    settled(shop)
    said = shop.log_path.read_text() + client.get("/metrics").text
    for name, secret in secrets.items():
        assert secret not in said, f"a {name} stands in the log or the metrics"
        assert len(secret) < 60 or secret.split(".")[-1] not in said, f"a part of a {name} stands in the log"


def metrics(shop):
    client = shop.client()
    for _ in range(5):
        client.get("/products?limit=1")
    assert client.request("BREW", "/products").status == 405
    answer = client.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
    samples, typed = {}, {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            typed[name] = kind
        elif line and not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample of Prometheus: {line!r}"
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            samples.setdefault(match[1], []).append((labels, match[3]))
    for name in ("http_requests_total", "http_request_duration_seconds_bucket", "http_request_duration_seconds_sum", "http_request_duration_seconds_count",
                 "http_requests_in_flight", "events_published", "events_consumed", "events_lag", "outbox_depth", "process_cpu_seconds_total",
                 "process_resident_memory_bytes", "database_connections_open", "database_connections_busy", "database_requests_waiting"):
        assert name in samples, f"{name} is not measured: {sorted(samples)}"
    methods = {labels.get("method") for labels, _ in samples["http_requests_total"]}
    assert "other" in methods and "" not in methods, methods
    assert typed["http_request_duration_seconds"] == "histogram" and typed["http_requests_total"] == "counter", typed
    for name, rows in samples.items():
        for labels, _ in rows:
            assert {"service", "version", "instance"} <= set(labels), f"{name} lacks labels: {labels}"
    listing = [(labels, value) for labels, value in samples["http_request_duration_seconds_bucket"]
               if labels.get("route") == "/" and labels.get("handler") == "product-service" and labels.get("method") == "GET"]
    edges = [float(labels["le"].replace("+Inf", "inf")) for labels, _ in listing]
    assert sum(edge < 0.001 for edge in edges) >= 3, f"a histogram that does not resolve below a millisecond: {edges}"
    assert edges == sorted(edges) and [int(v) for _, v in listing] == sorted(int(v) for _, v in listing)
    assert int(listing[-1][1]) >= 5, listing[-1]
    counted = [(labels, value) for labels, value in samples["http_requests_total"] if labels.get("route") == "/id/:id"]
    assert counted and all("status" in labels and "method" in labels for labels, _ in counted), counted
    templates = {labels["route"] for labels, _ in samples["http_requests_total"]}
    assert not any(re.search(r"[0-9a-f]{8}-", template) for template in templates), f"ids in routes: {templates}"
    lib.eventually(lambda: re.search(r"^outbox_depth\{[^}]*\} 0(\.0+)?$", client.get("/metrics").text, re.M))


def health(shop):
    client = shop.client()
    for path in ("/health", "/health/live", "/health/ready"):
        assert client.get(path).json() == {"status": "UP", "service": "api-gateway"}, path
    for prefix, dependencies in (("auth", {"database"}), ("products", {"database"}), ("orders", {"database"}), ("carts", {"redis"}), ("images", None), ("search", None)):
        answer = client.get(f"/{prefix}/health")
        body = answer.json()
        assert answer.status == 200 and body["status"] == "UP" and body["service"].startswith(prefix.rstrip("s")), answer
        assert all(state == "UP" for state in body.get("dependencies", {}).values()), body
        assert dependencies is None or dependencies <= set(body["dependencies"]), body
        assert client.get(f"/{prefix}/metrics").status == 404, f"/{prefix}/metrics"


def main():
    with lib.OneProcess(demo=True) as shop:
        admin = shop.admin()
        log(shop, admin)
        versions(shop, admin)
        silence(shop, admin)
        metrics(shop)
        health(shop)
        for line in shop.log_path.read_text().splitlines():
            if line.startswith("{"):
                parsed = json.loads(line)
                assert {"time", "level", "service", "instance"} <= set(parsed), line
    callers()
    print("outside: log, versions, silence, metrics, health, callers")


if __name__ == "__main__":
    main()
