#!/usr/bin/env python3
"""What is seen from outside: log lines, metrics, traces: tests/security/seen.py"""
import json
import re
import secrets
import sqlite3
import sys
import time
import uuid

from wire import Checks, administrator, expect, metric
from shop import eventually, opened

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)(?: -?\d+)?\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"')


def parsed(text):
    """[(name, labels, value)] of a Prometheus text; fails on what is not in the form."""
    samples, types, seen = [], {}, set()
    expect(text.endswith("\n"), "the last line has no end")
    for line in text.splitlines():
        if not line:
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            expect(kind in ("counter", "gauge", "histogram", "summary", "untyped") and name not in types, f"{line}")
            types[name] = kind
            continue
        if line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        expect(found, f"not in Prometheus form: {line}")
        labels = dict(LABEL.findall(found[2] or ""))
        family = re.sub(r"_(bucket|sum|count)\Z", "", found[1]) if re.sub(r"_(bucket|sum|count)\Z", "", found[1]) in types else found[1]
        expect(family in types, f"{found[1]} has no TYPE")
        key = (found[1], tuple(sorted(labels.items())))
        expect(key not in seen, f"twice: {line}")
        seen.add(key)
        samples.append((found[1], labels, float(found[3])))
    return samples, types


def prometheus(shop):
    """/metrics is in Prometheus form, with what the contract lists, each line with service, version and instance"""
    client = shop.client()
    for _ in range(5):
        client.get("/products?limit=1")
        client.get(f"/products/id/{uuid.uuid4()}")
    client.get("/auth/me", token=shop.admin().token)
    found = client.get("/metrics")
    expect(found.status == 200 and found.headers["Content-Type"].startswith("text/plain; version=0.0.4"), f"{found.headers}")
    samples, types = parsed(found.text)
    for name, labels, _ in samples:
        expect({"service", "version", "instance"} <= labels.keys(), f"{name} lacks a common label: {labels}")
    names = {name for name, _, _ in samples}
    for wanted in ("http_request_duration_seconds_bucket", "http_requests_total", "http_requests_in_flight", "process_cpu_seconds_total", "process_resident_memory_bytes", "http_heads_refused_total",
                   "http_requests_crowded_out_total", "outbox_depth", "events_published", "events_consumed", "events_lag", "events_dead_lettered", "cache_hits", "cache_misses"):
        expect(wanted in names, f"{wanted} is missing")
    expect(types["http_request_duration_seconds"] == "histogram" and types["http_requests_total"] == "counter", f"{types}")
    expect(metric(found.text, "process_resident_memory_bytes") > 1e6 and metric(found.text, "process_cpu_seconds_total") > 0, "process")


def histograms(shop):
    """Durations by method and route template, resolving below a millisecond, in buckets that add up"""
    samples, _ = parsed(shop.client().get("/metrics").text)
    routes = {labels["route"] for name, labels, _ in samples if name == "http_requests_total"}
    expect("/id/:id" in routes, f"no route template among {sorted(routes)}")
    expect(not [route for route in routes if re.search(r"[0-9a-f]{8}-", route)], f"ids in routes: {routes}")
    series = {}
    for name, labels, value in samples:
        if name.startswith("http_request_duration_seconds"):
            key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            series.setdefault(key, {})[labels.get("le", name)] = value
    expect(series, "no histogram")
    for key, values in series.items():
        bounds = sorted((float("inf") if le == "+Inf" else float(le), value) for le, value in values.items() if not le.startswith("http"))
        expect(len([bound for bound, _ in bounds if bound < 0.001]) >= 3, f"{key} does not resolve below a millisecond: {bounds}")
        expect([value for _, value in bounds] == sorted(value for _, value in bounds), f"{key}: buckets fall")
        expect(bounds[-1][0] == float("inf") and bounds[-1][1] == values["http_request_duration_seconds_count"], f"{key}: +Inf is not the count")
        expect(values["http_request_duration_seconds_sum"] >= 0, f"{key}: sum")


def counted_once(shop):
    """Each request counts once, under its route, method and status; paths that do not exist make no series"""
    client = shop.client()
    before, series = client.get("/metrics").text, None
    for number in range(20):
        client.get(f"/products/id/{uuid.uuid4()}")
        client.get(f"/nowhere/{number}/{secrets.token_hex(4)}")
        client.request("BREW", f"/products/{number}")
    after = client.get("/metrics").text
    for labels, more in (({"route": "/id/:id", "status": "404", "method": "GET"}, 20), ({"route": "none", "status": "405"}, 20)):
        rise = (metric(after, "http_requests_total", **labels) or 0) - (metric(before, "http_requests_total", **labels) or 0)
        expect(rise == more, f"{labels} rose by {rise} instead of {more}")
    series = len(after.splitlines()) - len(before.splitlines())
    expect(series < 120, f"{series} new lines for paths that do not exist")


def log_lines(shop):
    """One JSON line a request, with the contract's members"""
    client, mark = shop.client(), f"mark-{secrets.token_hex(8)}"
    trace = secrets.token_hex(16)
    wanted = {"ok": ("GET", "/products?limit=1", 200), "missing": ("GET", f"/products/id/{uuid.uuid4()}", 404), "unauthorised": ("GET", "/auth/me", 401), "refused": ("POST", "/orders", 400),
              "nowhere": ("GET", "/nowhere", 404), "other": ("DELETE", "/products/categories", 405)}
    for name, (method, path, status) in wanted.items():
        found = client.request(method, path, {} if method == "POST" else None, headers={"X-Request-Id": f"{mark}-{name}", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
        expect(found.status == status, f"{name}: {found}")
        expect(found.headers["X-Request-Id"] == f"{mark}-{name}", "the request id does not come back")

    def lines():
        found = [line for line in shop.log_lines() if str(line.get("requestId", "")).startswith(mark)]
        return found if len(found) >= len(wanted) else None

    found = eventually(lines)
    expect(len(found) == len(wanted), f"{len(found)} lines for {len(wanted)} requests")
    for line in found:
        name = line["requestId"][len(mark) + 1:]
        method, path, status = wanted[name]
        for member in ("time", "level", "service", "instance", "requestId", "traceId", "route", "status", "duration"):
            expect(member in line, f"{member} is missing: {line}")
        expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), f"{line['time']}")
        expect(line["status"] == status and line["method"] == method and line["traceId"] == trace, f"{line}")
        expect(isinstance(line["duration"], (int, float)) and 0 <= line["duration"] < 60_000, f"{line}")
        expect("?" not in line["path"], f"a query in the log: {line}")
    by_name = {line["requestId"][len(mark) + 1:]: line for line in found}
    expect(by_name["missing"]["route"] == "/id/:id" and by_name["missing"]["service"] == "product-service", f"{by_name['missing']}")
    expect(by_name["refused"]["service"] == "order-service" and by_name["unauthorised"]["service"] == "auth-service", f"{by_name}")


def nothing_injected(shop):
    """Nobody writes log lines of their own"""
    client, mark = shop.client(), secrets.token_hex(8)
    client.get(f"/x%0a%7b%22mark%22:%22{mark}%22%7d")
    client.get("/x", headers={"X-Request-Id": f"\"}}\t{{\"mark\":\"{mark}\"}}"})
    client.get("/x", headers={"traceparent": f"00-{mark}\"-x"})
    client.get("/health")
    time.sleep(0.3)
    for line in shop.log_path.read_text(errors="replace").splitlines():
        if mark in line:
            value = json.loads(line)
            expect("mark" not in value, f"injected: {line}")


def events_of(shop, mark, count, limit_s=10):
    def found():
        with sqlite3.connect(f"file:{shop.data}/events.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT topic, value, headers FROM events WHERE headers LIKE ? OR value LIKE ?", (f"%{mark}%",) * 2).fetchall()
        return rows if len(rows) >= count else None
    return eventually(found, limit_s)


def traced_events(shop):
    """The trace of a request goes on in its events, and in the events that they cause"""
    admin, trace = shop.admin(), secrets.token_hex(16)
    product = admin.post("/products", {"sku": f"TR-{secrets.token_hex(4)}", "name": {"en": "Traced"}, "variants": [{"attributes": {}, "price": "5", "initialStockQuantity": 50}]}).json()
    events_of(shop, product["sku"], 1)  # changes that wait together become one event, which carries the first one's trace
    span = secrets.token_hex(8)
    found = shop.client().post("/orders", {"guestEmail": "g@shop.test", "phone": "5", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": None,
                                           "items": [{"variantId": product["variants"][0]["id"], "quantity": 1}]}, headers={"traceparent": f"00-{trace}-{span}-01"})
    expect(found.status == 201, f"{found}")
    rows = events_of(shop, trace, 2)
    kinds = {json.loads(value)["type"] for _, value, _ in rows}
    expect({"ORDER_CREATED", "PRODUCT_UPDATED"} <= kinds, f"{kinds}: the order and the product whose stock fell")
    for _, value, headers in rows:
        parts = re.search(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", headers)
        expect(parts and parts[2] == trace and parts[3] != span, f"{headers}")
        event = json.loads(value)
        expect({"type", "payload", "timestamp", "sourceService", "eventId", "version"} <= event.keys(), f"{sorted(event)}")


def health(shop):
    """Health, live and ready, for the gateway and for every service"""
    client = shop.client()
    for path in ("/health", "/health/live", "/health/ready"):
        found = client.get(path)
        expect(found.status == 200 and found.json()["status"] == "UP" and found.json()["service"] == "api-gateway", f"{path}: {found}")
    for prefix, name in (("auth", "auth-service"), ("products", "product-service"), ("orders", "order-service"), ("carts", "cart-service"), ("images", "image-service"), ("search", "search-service")):
        found = client.get(f"/{prefix}/health")
        expect(found.status == 200 and found.json()["service"] == name and found.json()["status"] == "UP", f"{prefix}: {found}")
        for path in ("live", "ready"):
            expect(client.get(f"/{prefix}/health/{path}").status == 200, f"{prefix}/{path}")


def main():
    checks = Checks("seen from outside")
    with opened(demo=False) as shop:
        administrator(shop)
        checks.run(health, shop)
        if shop.mode == "one process":  # one address tells of all services here; in a stack each has metrics and a log of its own
            for check in (prometheus, histograms, counted_once, log_lines, nothing_injected, traced_events):
                checks.run(check, shop)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
