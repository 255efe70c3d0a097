"""The shop in one process: footprint, catalogue, search, login, checkout, hot stock."""
import concurrent.futures
import json
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time

from measure import ROOT, Load, Pgbench, Void, ask, middle, pairs, resident_mb, shop
from subjects import KEY, LIST, checkouts, customer, details, order_of, searches, variants_of, words


# --- 2
def footprint(bench):
    """From exec to the first order, memory, size of the program"""
    firsts, laters, idle = [], [], []
    for _ in range(bench.runs):
        running = shop.OneProcess(demo=True)
        try:
            firsts.append(first_order(running))
            running.stop()
            laters.append(first_order(running))
            time.sleep(1.5)
            idle.append(resident_mb([running.process.pid], "Rss"))
        finally:
            running.__exit__(None, None, None)
    bench.add(2, "exec to first order, new folder with demo data", middle(firsts) * 1000, "ms", at_most=1000)
    bench.add(2, "exec to first order, folder that exists", middle(laters) * 1000, "ms", at_most=1000)
    bench.add(2, "resident memory, idle with demo data", middle(idle), "MB", at_most=50)
    stripped = bench.folder / "shop.stripped"
    subprocess.run(["strip", "-o", stripped, shop.program("shop")], check=True)
    bench.add(2, "stripped binary", stripped.stat().st_size / 1e6, "MB", at_most=20)


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


# --- 9
def catalogue(bench):
    """Lists and details through the gateway"""
    with bench.large() as running:
        pids = [running.process.pid]
        for what, requests in (("list of 20", [LIST]), ("detail", details(variants_of(running)))):
            with Load(requests) as load:
                bench.open_loop(9, what, load, running.port, pids, p50_ms=1, p99_ms=5)
        bench.add(9, "reads older than one's own write before them, of 300", stale_reads(running, running.port), "reads", at_most=0)
        bench.add(9, "resident memory after the load", resident_mb(pids, "Rss"), "MB")


def stale_reads(running, other_port, writes=300):
    """A product is changed and read at once, as detail and in a list, by another connection."""
    writer, reader, stale = running.admin(), shop.Client("127.0.0.1", other_port), 0
    product = writer.get("/products?limit=1").json()["data"][0]["id"]
    for n in range(writes):
        name = f"Thing {n}"
        changed = writer.put(f"/products/{product}", {"name": {"en": name}})
        if changed.status != 200:
            raise Void(f"a change was answered {changed}")
        stale += reader.get(f"/products/id/{product}").json()["data"]["name"]["en"] != name
        stale += all(row["name"] != name for row in reader.get("/products?limit=20&sortBy=updatedAt").json()["data"])
    writer.close()
    reader.close()
    return stale


# --- 10
def search(bench):
    """Queries on Xapian, beside the engine asked directly; how soon a product is found"""
    with bench.large() as running, Load(searches()) as load:
        pids = [running.process.pid]
        bench.open_loop(10, "search, Xapian", load, running.port, pids, connections=8)
        queries = query_file(bench)
        folder = running.data / "search"
        ours, engine, plain = pairs(bench.runs, lambda: load.run(running.port, pids, 8, bench.seconds)["cpu_us"],
                                    lambda: json.loads(ask("xapian", folder, queries, "--seconds", bench.seconds))["cpu_us"],
                                    lambda: json.loads(ask("xapian-plain", folder, queries, "--seconds", bench.seconds))["cpu_us"])
        bench.table.versus(10, "search, Xapian: CPU, shop / engine asked directly", ours, engine, "us/req", "the same query on the library", at_most=1.3)
        bench.table.versus(10, "search, Xapian: CPU, shop / the words alone", ours, plain, "us/req", "QueryParser: no fields, typos, facets")
        searchable(bench, running, "Xapian")


def query_file(bench):
    path = bench.folder / "queries"
    path.write_text("\n".join(words()) + "\n")
    return path


def searchable(bench, running, engine):
    """From the answer to POST /products until a search finds the product, at 50 writes a second; every fifth is looked for, with a pause
    of 2 ms between searches, so that the searches are not the load."""
    delays, lock, lost, own = [], threading.Lock(), [], threading.local()
    mark = f"zq{int(time.time()):x}"

    def find(word, since):
        with_own = running.client()
        while not with_own.get(f"/search/products?q={word}&limit=1").json()["data"]:
            if time.monotonic() - since > 10:
                lost.append(word)
                return
            time.sleep(0.002)
        with lock:
            delays.append(time.monotonic() - since)
        with_own.close()

    def write(n):
        if not hasattr(own, "client"):
            own.client = running.client(token)
        time.sleep(max(0.0, begin + n / 50 - time.monotonic()))
        word = f"{mark}x{n}x"
        answer = own.client.post("/products", {"sku": word, "name": {"en": f"Thing {word}"}, "variants": [{"price": "10", "attributes": {}}]})
        if answer.status != 201:
            raise Void(f"a product was answered {answer}")
        if n % 5 == 0:
            searchers.append(threading.Thread(target=find, args=(word, time.monotonic())))
            searchers[-1].start()

    searchers, count, token = [], 250 if bench.quick else 600, running.admin().token
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(count)))
    rate = count / (time.monotonic() - begin)
    for searcher in searchers:
        searcher.join()
    if lost:
        raise Void(f"{len(lost)} products were not found within 10 s")
    if rate < 45:
        raise Void(f"only {rate:.0f} products a second were written")
    bench.add(10, f"POST to searchable at 50 writes/s, {engine}: median", middle(delays) * 1000, "ms")
    bench.add(10, f"POST to searchable at 50 writes/s, {engine}: p99 of {len(delays)}", sorted(delays)[int(len(delays) * 0.99)] * 1000, "ms", at_most=100)


# --- 12
def login(bench):
    """Logins beside the hash alone, the catalogue in a storm of them, and what their time tells"""
    with bench.large() as running:
        pids = [running.process.pid]
        right = {"email": shop.ADMIN[0], "password": shop.ADMIN[1]}
        with Load([("POST", "/auth/login", 200, right)]) as logins, Load([("POST", "/auth/login", [200, 503], right)]) as storm, Load([LIST]) as pages:
            threads = max(1, (len(cpus()) or 2) - 1)  # as the shop has for hashing
            ours, limit = pairs(bench.runs, lambda: logins.run(running.port, pids, 8, bench.seconds),
                                lambda: json.loads(ask("argon2", "--seconds", bench.seconds, "--threads", threads)))
            bench.table.versus(12, "logins, shop / the hash alone", [r["per_second"] for r in ours], [r["per_second"] for r in limit], "logins/s",
                               f"argon2id, {threads} thread", at_least=0.95)
            bench.table.versus(12, "CPU of a login, shop / the hash alone", [r["cpu_us"] for r in ours], [r["cpu_us"] for r in limit], "us", "argon2id")

            def calm():
                return pages.run(running.port, pids, 8, bench.seconds, rate=500)["p99_us"]

            def stormy():
                answers = []
                sender = threading.Thread(target=lambda: answers.append(storm.send(running.port, 64, bench.seconds + 1.5, 0)))
                sender.start()
                time.sleep(0.5)
                try:
                    return pages.run(running.port, pids, 8, bench.seconds, rate=500)["p99_us"]
                finally:
                    sender.join()
                    if not answers or answers[0]["unexpected"]:
                        raise Void(f"the storm was answered {answers}")

            peace, war = pairs(bench.runs, calm, stormy)
            bench.table.versus(12, "catalogue's p99 at 500/s, in a login storm of 64 / calm", war, peace, "us", "the same, calm", at_most=1.5)
        known, unknown = tell_apart(running, 100 if bench.quick else 250)
        bench.add(12, "known and unknown e-mail, medians apart", abs(known - unknown) * 1000, "ms", at_most=1)


def cpus():
    return [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")]


def tell_apart(running, tries):
    """Median seconds of a failed login with an e-mail that is known and with one that is not, taken in turn."""
    client, took = running.client(), ([], [])
    for n in range(tries):
        for kind in ((0, 1) if n % 2 else (1, 0)):
            email = shop.ADMIN[0] if kind == 0 else f"nobody{n:06}@admin.com"
            begin = time.perf_counter()
            answer = client.post("/auth/login", {"email": email, "password": "wrong-password"})
            took[kind].append(time.perf_counter() - begin)
            if answer.status != 401:
                raise Void(f"a wrong login was answered {answer}")
    client.close()
    return statistics.median(took[0]), statistics.median(took[1])


# --- 5
def checkout(bench):
    """Checkouts on SQLite, beside pgbench with the same statements on PostgreSQL, both durable"""
    with bench.large() as running, bench.postgres() as postgres, Load(checkouts(variants_of(running), customer(running))) as load:
        pids = [running.process.pid]
        with Pgbench(postgres.port, postgres.folder, bench.seconds) as pgbench:
            ours, floor, single = pairs(bench.runs, lambda: load.run(running.port, pids, 16, bench.seconds, quiet_cores=0.1),
                                        lambda: pgbench.run("checkout"), lambda: pgbench.run("checkout_one"))
        rates = [r["per_second"] for r in ours]
        bench.table.versus(5, "one process: checkouts of 2 lines, 16 clients (floor)", rates, floor, "orders/s", "pgbench, six round trips", at_least=0.8)
        bench.table.versus(5, "one process: checkouts of 2 lines, 16 clients (aim)", rates, floor, "orders/s", "pgbench, six round trips", at_least=1.2)
        bench.table.versus(5, "one process: beside one statement an order", rates, single, "orders/s", "pgbench, one statement")
        bench.add(5, "one process: CPU, 16 clients, with events and index", middle([r["cpu_us"] for r in ours]), "us/order")
        for connections in (1, 64):
            results = [load.run(running.port, pids, connections, bench.seconds, quiet_cores=0.1) for _ in range(3)]
            bench.add(5, f"one process: checkouts of 2 lines, {connections} client{'s' * (connections > 1)}", middle([r["per_second"] for r in results]), "orders/s")
        most = middle([r["per_second"] for r in results])
        half = [load.run(running.port, pids, 64, bench.seconds, rate=most / 2, quiet_cores=0.1) for _ in range(bench.runs)]
        bench.add(5, "one process: p50 at half load", middle([r["p50_us"] for r in half]) / 1000, "ms")
        bench.add(5, "one process: p99 at half load", middle([r["p99_us"] for r in half]) / 1000, "ms")


# --- 4
def hot(bench):
    """Many buyers of few things: exactness, and the pace on one variant beside pgbench"""
    done = subprocess.run([sys.executable, ROOT / "tests/fault/hot.py"], capture_output=True, text=True, timeout=300)
    print("  " + done.stdout.strip().replace("\n", "\n  "), flush=True)
    if done.returncode:
        raise Void(f"hot stock: {done.stderr.strip()[-300:]}")
    said = dict(part.split("=", 1) for part in done.stdout.split() if "=" in part)
    bench.add(4, "200 buyers on 10 variants of 100: units sold that were not there, or not sold", abs(int(said["sold"]) - 1000), "units", at_most=0)
    bench.add(4, "the same: deadlocks", int(said["deadlocks"]), "", at_most=0)
    with bench.large() as running, bench.postgres() as postgres:
        pids, variant = [running.process.pid], variants_of(running, 100)[random.Random(23).randrange(100)][1][0]
        with Load([("POST", "/orders", 201, order_of((variant, 1)), {**KEY, "Authorization": f"Bearer {customer(running)}"})]) as load, \
                Pgbench(postgres.port, postgres.folder, bench.seconds) as pgbench:
            ours, floor = pairs(bench.runs, lambda: load.run(running.port, pids, 64, bench.seconds, quiet_cores=0.1), lambda: pgbench.run("hot"))
        bench.table.versus(4, "one process: one hot variant, 64 clients", [r["per_second"] for r in ours], floor, "orders/s", "pgbench, one by one", at_least=5)
