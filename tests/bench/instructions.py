#!/usr/bin/env python3
"""Instructions a request, counted by callgrind: what a busy machine does not disturb.

    instructions.py              counts, compares with what is committed, names what is over 5 % above it; exit code 1 when anything is
    instructions.py --keep       counts and writes tests/bench/instructions.json
    instructions.py --top 15     also shows where they are spent

The programs themselves run under it, the shop in one process and the gateway before an origin; a few hundred requests of each kind are
sent one after the other. What background work adds is counted in, so two counts differ by a per cent or two, those of orders by more.
"""
import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True
from measure import needed, shop

KEPT = pathlib.Path(__file__).with_name("instructions.json")
WORSE = 1.05
WORSE_WITH_BACKGROUND = 1.3  # of orders: how many of them are published together depends on how fast the machine is
REQUESTS, WARM_UP = 200, 60
START_LIMIT_S = 180


class Counted:
    """A program under callgrind, stripped of its debug information, which would take longer to read than the requests."""

    def __init__(self, program, arguments, folder, port, environment=None):
        self.name, self.folder, self.port, self.dumps = program, folder, port, 0
        stripped = folder / program
        subprocess.run(["strip", "--strip-debug", "-o", stripped, shop.program(program)], check=True)
        self.log = open(folder / f"{program}.log", "w")
        self.process = subprocess.Popen(
            [needed("valgrind", "valgrind"), "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--collect-atstart=yes", f"--vgdb-prefix={folder}/vgdb", stripped, *arguments],
            stdout=self.log, stderr=self.log, cwd=folder, env=environment)

    def wait(self, path):
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                if shop.Client("127.0.0.1", self.port, timeout=20).get(path).status == 200:
                    return
            time.sleep(0.2)
        raise SystemExit(f"{self.name} under valgrind did not open: {(self.folder / f'{self.name}.log').read_text()[-800:]}")

    def control(self, what):
        """callgrind_control speaks to a process whose pipes lie in the usual place only; vgdb is told."""
        subprocess.run([needed("vgdb", "valgrind"), f"--vgdb-prefix={self.folder}/vgdb", f"--pid={self.process.pid}", *what.split()], check=True, capture_output=True, timeout=60)

    def count(self, send):
        """Instructions of `send`, and the file that says where."""
        self.control("zero")
        send()
        time.sleep(1.5)  # what the requests left behind belongs to them
        self.control("dump")
        self.dumps += 1
        return self.folder / f"out.{self.dumps}"

    def close(self):
        shop.ended(self.process, 60)
        self.log.close()


def total(file):
    return int(re.search(r"^(?:summary|totals):\s+(\d+)", file.read_text(errors="replace"), re.M)[1])


def top(file, lines):
    done = subprocess.run([needed("callgrind_annotate", "valgrind"), "--threshold=100", file], capture_output=True, text=True, timeout=120)
    rows = [line for line in done.stdout.splitlines() if re.match(r"\s*[\d,]+ \(", line) and "PROGRAM TOTALS" not in line]
    return "\n".join("      " + line.strip()[:150] for line in rows[:lines])


def sender(port, requests):
    """Sends them in turn over one connection; every answer must be as expected."""
    client, sent = shop.Client("127.0.0.1", port, timeout=60), [0]

    def send(count=REQUESTS):
        for _ in range(count):
            method, path, expected, body, headers = requests[sent[0] % len(requests)]
            text = body and json.dumps(body)
            sent[0] += 1
            answer = client.request(method, path, text, {**({"Content-Type": "application/json"} if text else {}), **{k: v.replace("{n}", str(sent[0])) for k, v in headers.items()}})
            if answer.status != expected:
                raise SystemExit(f"{method} {path} was answered {answer}")

    return send


def measured(program, kinds, options):
    rows = []
    for what, requests in kinds:
        send = sender(program.port, requests)
        send(WARM_UP)
        time.sleep(1)
        file = program.count(send)
        row = {"program": program.name, "what": what, "instructions": round(total(file) / REQUESTS)}
        rows.append(row)
        print(f"  {row['program']:<12} {what:<28} {row['instructions']:>12,}", flush=True)
        if options.top:
            print(top(file, options.top))
    return rows


def shop_kinds(port):
    client = shop.Client("127.0.0.1", port, timeout=60)
    products = sorted(client.get("/products?limit=100").json()["data"], key=lambda product: product["sku"])
    carts = [client.post("/carts").json()["id"] for _ in range(20)]
    variants = [(product["id"], product["variants"][n]["id"]) for n in range(2) for product in products[:20] if len(product["variants"]) > n and product["variants"][n]["stockQuantity"] > 20]
    order = {"guestEmail": "bench@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY"}
    client.close()
    return [("GET /products, 20 of them", [("GET", "/products?limit=20", 200, None, {})]),
            ("GET /products/id/:id", [("GET", f"/products/id/{product['id']}", 200, None, {}) for product in products[:20]]),
            ("GET /search/products", [("GET", "/search/products?q=phone", 200, None, {})]),
            ("POST /carts/:id/items", [("POST", f"/carts/{carts[n % 20]}/items", 200, {"productId": product, "variantId": variant, "quantity": 1, "price": 1}, {})
                                       for n, (product, variant) in enumerate(variants)]),
            ("GET /carts/:id", [("GET", f"/carts/{cart}", 200, None, {}) for cart in carts]),
            ("POST /orders, one line", [("POST", "/orders", 201, {**order, "items": [{"variantId": variant, "quantity": 1}]}, {"Idempotency-Key": "count-{n}"})
                                        for _, variant in variants])]


class Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = json.dumps({"data": "x" * 280}).encode()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def count(options):
    rows = []
    with tempfile.TemporaryDirectory(prefix="shop-count-") as name:
        folder, port = pathlib.Path(name), shop.free_port()
        with contextlib.closing(Counted("shop", ["--port", str(port), "--data", folder / "data", "--demo"], folder, port)) as one:
            one.wait("/products?limit=1")
            shop.eventually(lambda: shop.Client("127.0.0.1", port, timeout=60).get("/search/products?q=phone&limit=1").json()["data"], 120, 0.5)
            time.sleep(3)
            rows += measured(one, shop_kinds(port), options)
    with tempfile.TemporaryDirectory(prefix="shop-count-") as name:
        folder, port = pathlib.Path(name), shop.free_port()
        origin = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        with contextlib.closing(Counted("api-gateway", ["--port", str(port), "--bind", "127.0.0.1", "--internal-token", "bench-bench-bench-1",
                                                        "--product-service-url", f"http://127.0.0.1:{origin.server_port}"], folder, port)) as gateway:
            gateway.wait("/")
            rows += measured(gateway, [("GET proxied, 300 bytes", [("GET", "/products/id/1", 200, None, {})])], options)
        origin.shutdown()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--top", type=int, default=0, metavar="N")
    options = parser.parse_args()
    rows = count(options)
    if options.keep or not KEPT.exists():
        KEPT.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
        print(f"{KEPT.name} is written.")
        return 0
    before, worse = {(row["program"], row["what"]): row["instructions"] for row in json.loads(KEPT.read_text())["rows"]}, 0
    for row in rows:
        was = before.get((row["program"], row["what"]))
        ratio = row["instructions"] / was if was else 1
        is_worse = ratio > (WORSE_WITH_BACKGROUND if "/orders" in row["what"] else WORSE)
        worse += is_worse
        print(f"{row['program']}: {row['what']}: {was or 0:,} -> {row['instructions']:,}, {ratio:.3f}{' WORSE' if is_worse else ''}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
