#!/usr/bin/env python3
"""The figures of docs/benchmarks.md, beside peers, in one run.

    bench.py [NAME...] [--quick] [--seconds S] [--runs N] [--json FILE]       the names: --help

--quick measures for seconds instead of minutes: to see that it works, not to quote. `make bench` builds what is needed first.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import generate
from measure import Load, Peer, Pgbench, Table, Void, filled, middle, needed, pairs, resident_mb, shop

import stack  # of tests/lib, which measure.py has put on the path

GUEST = {"guestEmail": "bench@example.org", "phone": "555-0100", "paymentMethod": "CASH_ON_DELIVERY",
         "shippingAddress": {"address": "1 Main Street", "city": "Montpellier"}}
KEY = {"Idempotency-Key": "bench-{n}"}


def order_of(*lines):
    return {**GUEST, "items": [{"variantId": variant, "quantity": quantity} for variant, quantity in lines]}


class Bench:
    def __init__(self, quick, seconds=None, runs=None, products=None):
        self.quick, self.table = quick, Table()
        self.seconds = seconds or (1.0 if quick else 5.0)
        self.runs = runs or (2 if quick else 5)
        self.products = products or (500 if quick else 10_000)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-bench-"))

    # --- 2: footprint
    def footprint(self):
        firsts, laters, idle = [], [], []
        for _ in range(self.runs):
            running = shop.OneProcess(demo=True)
            try:
                firsts.append(self.first_order(running))
                running.stop()
                laters.append(self.first_order(running))
                time.sleep(1.5)
                idle.append(resident_mb([running.process.pid]))
            finally:
                running.__exit__(None, None, None)
        self.table.add(2, "exec to first order, new folder with demo data", middle(firsts) * 1000, "ms", at_most=1000)
        self.table.add(2, "exec to first order, folder that exists", middle(laters) * 1000, "ms", at_most=1000)
        self.table.add(2, "memory, idle with demo data", middle(idle), "MB", at_most=50)
        stripped = self.folder / "shop.stripped"
        subprocess.run(["strip", "-o", stripped, shop.program("shop")], check=True)
        self.table.add(2, "stripped binary", stripped.stat().st_size / 1e6, "MB", at_most=20)

    @staticmethod
    def first_order(running):
        """Seconds from exec to an acknowledged order, by a client that knows nothing but the address."""
        begin = time.monotonic()
        running.start()
        client = running.client()
        product = client.get("/products?limit=1").json()["data"][0]
        answer = client.post("/orders", order_of((product["variants"][0]["id"], 1)))
        took = time.monotonic() - begin
        if answer.status != 201:
            raise Void(f"the first order was answered {answer}")
        client.close()
        return took

    # --- a shop with a large catalogue, made once
    def large(self):
        kept = self.folder / "large"
        if not kept.exists():
            catalogue = self.folder / "catalogue.json"
            catalogue.write_text(json.dumps(generate.catalogue(self.products, seed=7)))
            with shop.OneProcess(demo=False, data=kept) as running:
                begin = time.monotonic()
                done = running.shopctl("import", str(catalogue), limit_s=1800)
                if done.returncode:
                    raise SystemExit(f"the import failed: {done.stdout[-500:]} {done.stderr[-500:]}")
                took = time.monotonic() - begin
                running.shopctl("create-admin", *shop.ADMIN)
                shop.eventually(lambda: running.client().get("/search/products?limit=1").json().get("pagination", {}).get("total") == self.products, 300)
                running.stop()
            self.table.add("-", f"import of {self.products} products, {self.products * 4} variants", self.products / took, "rows/s")
        return shop.OneProcess(demo=False, data=kept, arguments=["--log-level", "info"])

    def variants(self, running, count=400):
        client, found = running.client(), []
        for page in range(1, count // 100 + 1):
            for product in client.get(f"/products?limit=100&page={page}").json()["data"]:
                found.append((product["id"], [variant["id"] for variant in product["variants"]]))
        return found

    # --- 9: catalogue
    def catalogue(self):
        with self.large() as running:
            zipf, rng = generate.Zipf(400), random.Random(11)
            products = self.variants(running)
            details = [("GET", f"/products/id/{products[zipf.draw(rng)][0]}", 200) for _ in range(2000)]
            pages = [("GET", "/products?page=1&limit=20", 200)]
            for what, requests in (("list of 20", pages), ("detail", details)):
                with Load(requests) as load:
                    self.open_loop(9, what, load, running, p50_ms=1, p99_ms=5)
            self.table.add(9, "memory after the load", resident_mb([running.process.pid]), "MB")

    def open_loop(self, goal, what, load, running, p50_ms, p99_ms, connections=16):
        pids = [running.process.pid]
        most = middle([load.run(running.port, pids, connections, self.seconds)["per_second"] for _ in range(3)])
        half = [load.run(running.port, pids, connections, self.seconds, rate=most / 2) for _ in range(self.runs)]
        near = [load.run(running.port, pids, connections, self.seconds, rate=most * 0.8) for _ in range(self.runs)]
        self.table.add(goal, f"{what}: most, closed loop, {connections} connections", most, "req/s")
        self.table.add(goal, f"{what}: CPU at half load", middle([r["cpu_us"] for r in half]), "us/req")
        self.table.add(goal, f"{what}: p50 at half load", middle([r["p50_us"] for r in half]) / 1000, "ms", at_most=p50_ms)
        self.table.add(goal, f"{what}: p99 at half load", middle([r["p99_us"] for r in half]) / 1000, "ms", at_most=p99_ms)
        self.table.add(goal, f"{what}: p99 at 80 % load", middle([r["p99_us"] for r in near]) / 1000, "ms")

    # --- 10: search on the embedded engine
    def search(self):
        with self.large() as running:
            client = running.client()
            rng, zipf = random.Random(5), generate.Zipf(3000)
            words = generate.vocabulary(random.Random(7), 3000)
            queries = [("GET", f"/search/products?q={words[zipf.draw(rng)]}", 200) for _ in range(500)]
            with Load(queries) as load:
                self.open_loop(10, "search, embedded", load, running, p50_ms=1e9, p99_ms=1e9, connections=8)
            self.table.add(10, "POST to searchable at 50 writes/s: p99", self.searchable(running) * 1000, "ms", at_most=100)
            client.close()

    def searchable(self, running):
        """p99 seconds from the answer to POST /products until a search finds the product; 50 a second."""
        writer, delays, lock = running.admin(), [], threading.Lock()
        mark = f"zq{int(time.time()):x}"

        def find(word, since):
            with_own = running.client()
            while not with_own.get(f"/search/products?q={word}&limit=1").json()["data"]:
                if time.monotonic() - since > 10:
                    raise Void(f"{word} was not found within 10 s")
                time.sleep(0.002)
            with lock:
                delays.append(time.monotonic() - since)
            with_own.close()

        searchers = []
        begin = time.monotonic()
        for n in range(100 if self.quick else 500):
            time.sleep(max(0.0, begin + n / 50 - time.monotonic()))
            word = f"{mark}x{n}x"
            answer = writer.post("/products", {"sku": word, "name": {"en": f"Thing {word}"}, "variants": [{"price": "10", "attributes": {}}]})
            if answer.status != 201:
                raise Void(f"a product was answered {answer}")
            if n % 10 == 0:  # every tenth is looked for: the searches must not be the load
                searchers.append(threading.Thread(target=find, args=(word, time.monotonic())))
                searchers[-1].start()
        for searcher in searchers:
            searcher.join()
        return sorted(delays)[int(len(delays) * 0.99)]

    # --- 12: login
    def login(self):
        with self.large() as running:
            pids = [running.process.pid]
            body = {"email": shop.ADMIN[0], "password": shop.ADMIN[1]}
            with Load([("POST", "/auth/login", [200, 429, 503], body)]) as logins, Load([("GET", "/products?page=1&limit=20", 200)]) as pages:
                calm = pages.run(running.port, pids, 8, self.seconds, rate=500)
                storm = threading.Thread(target=lambda: logins.send(running.port, 64, self.seconds + 3, 0, "127.0.0.1"))
                storm.start()
                time.sleep(1)
                stormy = pages.run(running.port, pids, 8, self.seconds, rate=500)
                storm.join()
            self.table.add(12, "catalogue's p99 at 500/s, calm", calm["p99_us"] / 1000, "ms")
            self.table.add(12, "catalogue's p99 at 500/s in a login storm, as a ratio", stormy["p99_us"] / max(1, calm["p99_us"]), "x", at_most=1.5)

    # --- 5: checkout, one process
    def checkout(self):
        with self.large() as running:
            pids = [running.process.pid]
            rng, zipf = random.Random(3), generate.Zipf(400)
            products = self.variants(running)
            requests = []
            for _ in range(5000):
                chosen = {rng.choice(products[zipf.draw(rng)][1]) for _ in range(2)}
                requests.append(("POST", "/orders", 201, order_of(*((variant, 1) for variant in chosen)), KEY))
            with Load(requests) as load:
                for connections in (1, 16, 64):
                    results = [load.run(running.port, pids, connections, self.seconds) for _ in range(self.runs)]
                    self.table.add(5, f"one process: checkouts of 2 lines, {connections} clients", middle([r["per_second"] for r in results]), "orders/s")
                self.table.add(5, "one process: CPU, 64 clients", middle([r["cpu_us"] for r in results]), "us/order")
                self.table.add(5, "one process: p99, 64 clients", middle([r["p99_us"] for r in results]) / 1000, "ms")

    # --- 4: hot stock, one process
    def hot(self):
        with self.large() as running:
            pids = [running.process.pid]
            variant = self.variants(running, 100)[0][1][0]
            with Load([("POST", "/orders", 201, order_of((variant, 1)), KEY)]) as load:
                results = [load.run(running.port, pids, 64, self.seconds) for _ in range(self.runs)]
            self.table.add(4, "one process: one hot variant, 64 clients", middle([r["per_second"] for r in results]), "orders/s")

    # --- 4, 5: the distributed shop beside pgbench on the same server
    def distributed(self):
        with stack.started(demo=True) as running:
            pids = running.pids() + [entry["pid"] for entry in running.stack.state["components"].values()]
            products = self.variants(running, 100)
            rng = random.Random(3)
            orders = [("POST", "/orders", 201, order_of(*((rng.choice(variants), 1) for _, variants in rng.sample(products, 2))), KEY) for _ in range(2000)]
            with Pgbench(running, self.seconds) as pgbench, Load(orders) as load:
                ours, floor = pairs(self.runs, lambda: load.run(running.port, pids, 16, self.seconds), lambda: pgbench.run("checkout", 16))
            self.table.add(5, "distributed: checkouts of 2 lines, 16 clients", middle([r["per_second"] for r in ours]), "orders/s")
            self.table.add(5, "pgbench, the same statements, 16 clients", middle(floor), "tx/s")
            self.table.add(5, "distributed / pgbench, by pairs", middle([a["per_second"] / b for a, b in zip(ours, floor)]), "x", at_least=0.8)
            self.table.add(5, "distributed: CPU of every process, stores too", middle([r["cpu_us"] for r in ours]), "us/order")
            variant = products[0][1][0]
            with Pgbench(running, self.seconds) as pgbench, Load([("POST", "/orders", 201, order_of((variant, 1)), KEY)]) as load:
                ours, floor = pairs(self.runs, lambda: load.run(running.port, pids, 64, self.seconds), lambda: pgbench.run("hot", 16))
            self.table.add(4, "distributed: one hot variant, 64 clients", middle([r["per_second"] for r in ours]), "orders/s")
            self.table.add(4, "pgbench, one hot variant one by one, 16 clients", middle(floor), "tx/s")
            self.table.add(4, "hot: distributed / pgbench, by pairs", middle([a["per_second"] / b for a, b in zip(ours, floor)]), "x", at_least=5)

    # --- 11: one process pays
    def modes(self):
        with stack.started(demo=True) as many, shop.OneProcess(demo=True) as one:
            everything = many.pids() + [entry["pid"] for entry in many.stack.state["components"].values()]
            self.table.add(11, "memory idle, every service of the distributed shop", resident_mb(many.pids()), "MB")
            loads = [self.mix(one), self.mix(many)]
            rounds = pairs(self.runs, lambda: loads[0].run(one.port, [one.process.pid], 8, self.seconds),
                           lambda: loads[1].run(many.port, everything, 8, self.seconds))
            for load in loads:
                load.close()
            self.table.add(11, "shop mix: CPU, one process", middle([r["cpu_us"] for r in rounds[0]]), "us/req")
            self.table.add(11, "shop mix: CPU, distributed, stores too", middle([r["cpu_us"] for r in rounds[1]]), "us/req")
            self.table.add(11, "CPU: one process / distributed, by pairs", middle([a["cpu_us"] / b["cpu_us"] for a, b in zip(*rounds)]), "x", at_most=0.25)
            self.table.add(11, "p50: one process / distributed, by pairs", middle([a["p50_us"] / b["p50_us"] for a, b in zip(*rounds)]), "x", at_most=0.2)
            self.table.add(11, "memory after the load, every service of the distributed shop", resident_mb(many.pids()), "MB")

    def mix(self, running):
        """Online Boutique's weights: look at the list and at products most, fill carts, now and then search and order."""
        client, rng = running.client(), random.Random(17)
        products = self.variants(running, 100)
        carts = [client.post("/carts").json()["id"] for _ in range(20)]
        requests = []
        for _ in range(2000):
            product, variants = rng.choice(products)
            variant = rng.choice(variants)
            requests.append(rng.choices(
                [("GET", "/products?page=1&limit=20", 200), ("GET", f"/products/id/{product}", 200), ("GET", "/products/currencies", 200),
                 ("GET", "/search/products?q=phone", 200), ("GET", f"/carts/{rng.choice(carts)}", 200),
                 ("POST", f"/carts/{rng.choice(carts)}/items", [200, 400], {"productId": product, "variantId": variant, "quantity": 1, "price": 1}),
                 ("POST", "/orders", 201, order_of((variant, 1)), KEY)], [2, 10, 2, 2, 3, 2, 1])[0])
        return Load(requests)

    # --- 8: gateway
    def gateway(self):
        origin_port, haproxy_port, nginx_port, gateway_port = (shop.free_port() for _ in range(4))
        folder = self.folder / "gateway"
        folder.mkdir(exist_ok=True)
        body = json.dumps({"data": "x" * 280})
        (folder / "origin").mkdir(exist_ok=True)
        origin = filled("origin.conf", folder, "origin.conf", PORT=origin_port, FOLDER=folder / "origin", BODY=body)
        proxy = filled("nginx.conf", folder, "nginx.conf", PORT=nginx_port, UPSTREAM=origin_port, FOLDER=folder)
        door = filled("haproxy.cfg", folder, "haproxy.cfg", PORT=haproxy_port, UPSTREAM=origin_port)
        peers = []
        try:
            peers.append(Peer([needed("nginx", "nginx"), "-c", str(origin), "-p", str(folder / "origin")], origin_port, folder / "origin"))
            for name in ("haproxy", "nginx", "ours"):
                (folder / name).mkdir(exist_ok=True)
            peers.append(Peer([needed("haproxy", "haproxy"), "-f", str(door), "-db"], haproxy_port, folder / "haproxy"))
            peers.append(Peer([needed("nginx", "nginx"), "-c", str(proxy), "-p", str(folder)], nginx_port, folder / "nginx"))
            peers.append(Peer([shop.program("api-gateway"), "--port", str(gateway_port), "--bind", "127.0.0.1", "--internal-token", "bench-bench-bench-1",
                               "--product-service-url", f"http://127.0.0.1:{origin_port}"], gateway_port, folder / "ours"))
            with Load([("GET", "/products/id/00000000-0000-7000-8000-000000000000", 200)]) as load:
                rounds = pairs(self.runs, *(lambda peer=peer: load.run(peer.port, peer.pids, 32, self.seconds) for peer in peers[1:]))
            haproxy, nginx, ours = ([r["cpu_us"] for r in results] for results in rounds)
            self.table.add(8, "CPU: HAProxy", middle(haproxy), "us/req")
            self.table.add(8, "CPU: nginx", middle(nginx), "us/req")
            self.table.add(8, "CPU: api-gateway", middle(ours), "us/req")
            self.table.add(8, "CPU: api-gateway / HAProxy, by pairs", middle([a / b for a, b in zip(ours, haproxy)]), "x", at_most=1.1)
            self.table.add(8, "most: api-gateway / HAProxy, by pairs", middle([a["per_second"] / b["per_second"] for a, b in zip(rounds[2], rounds[0])]), "x")
        finally:
            for peer in reversed(peers):
                peer.close()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


NAMES = ["footprint", "catalogue", "search", "login", "checkout", "hot", "gateway", "distributed", "modes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(NAMES))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, help="of each run (5)")
    parser.add_argument("--runs", type=int, help="of each subject (5)")
    parser.add_argument("--products", type=int, help="of the large catalogue (10000)")
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    bench = Bench(chosen.quick, chosen.seconds, chosen.runs, chosen.products)
    failed = 0
    try:
        for name in chosen.names or NAMES:
            print(name, flush=True)
            try:
                getattr(bench, name)()
            except Void as void:
                failed = 1
                print(f"  void: {void}", flush=True)
    finally:
        bench.close()
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps(bench.table.rows, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
