"""What grows with the catalogue and with an order, in one process: CPU of a request, memory, start."""
import pathlib
import random
import shutil
import threading
import time

import generate
from measure import Load, Void, middle, resident_mb, settle, shop
from subjects import LIST, UNLIMITED, checkouts, customer, import_catalogue, searches

SIZES = [1_000, 10_000, 100_000, 1_000_000]
LINES = [1, 10, 100]
NEVER_AGAIN = ("GET", "/products?page=1&limit=20&nobody-asked-before={n}", 200)  # a list that no copy holds


def growth(bench):
    """1 000, 10 000, 100 000 products, with --largest 1 000 000; orders of 1, 10 and 100 lines"""
    largest = bench.options.largest or (1_000 if bench.quick else 100_000)
    for size in [n for n in SIZES if n <= largest]:
        folder = bench.folder / f"growth-{size}"
        try:
            step(bench, size, folder, size == min(largest, 10_000), size == largest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            pathlib.Path(f"{folder}.log").unlink(missing_ok=True)


def step(bench, size, folder, with_lines, with_rebuild):
    def add(what, figure, unit, **more):
        bench.add("growth", f"{size} products: {what}", figure, unit, size=size, of=what, **more)

    running = shop.OneProcess(demo=False, data=folder, environment=UNLIMITED)
    with running:
        running.shopctl("create-admin", *shop.ADMIN)
        stored, indexed = import_catalogue(running, size, bench.folder, limit_s=3600)
        add("import", size / stored, "products/s")
        add("import until all can be searched", size / indexed, "products/s")
        settle([running.process.pid])
        running.stop()
        starts = []
        for _ in range(3):
            begin = time.monotonic()
            running.start()
            if running.client().get(LIST[1]).status != 200:
                raise Void("the first list was refused")
            starts.append(time.monotonic() - begin)
            running.stop()
        running.start()
        pids = [running.process.pid]
        time.sleep(1)
        add("from exec to the first list", middle(starts) * 1000, "ms")
        add("resident memory after the start", resident_mb(pids, "Rss"), "MB")
        products = sample(running, size)
        requests = [("a list", [LIST], 16), ("a list that no copy holds", [NEVER_AGAIN], 4), ("a detail", details_of(products), 16),
                    ("a search", searches(), 4), ("an order of 2 lines", checkouts(products, customer(running)), 16)]
        for what, kinds, connections in requests:
            with Load(kinds) as load:
                results = [load.run(running.port, pids, connections, min(2.0, bench.seconds), quiet_cores=0.1) for _ in range(2)]
            add(f"CPU of {what}", middle([r["cpu_us"] for r in results]), "us/req")
        add("resident memory after the load", resident_mb(pids, "Rss"), "MB")
        add("data on disk", sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, "MB")
        if with_lines:
            token = customer(running)
            for lines in LINES:
                with Load(checkouts(products, token, lines, count=500)) as load:
                    results = [load.run(running.port, pids, 16, min(2.0, bench.seconds), quiet_cores=0.1) for _ in range(2)]
                cpu = middle([r["cpu_us"] for r in results])
                bench.add("growth", f"order of {lines} line{'s' * (lines > 1)}: CPU of the order", cpu, "us/order", size=lines, of="order")
                bench.add("growth", f"order of {lines} line{'s' * (lines > 1)}: CPU of a line", cpu / lines, "us/line", size=lines, of="line")
        if with_rebuild:
            rebuild(bench, running, size)
        running.stop()


def details_of(products):
    """Every product of the sample as often as any other: the copies in memory are of little use for a large catalogue."""
    return [("GET", f"/products/id/{product}", 200) for product, _ in products]


def sample(running, size, count=4000):
    """(product, its variants), from pages all over the catalogue."""
    client, pages, rng, found = running.client(), size // 100, random.Random(29), []
    for page in sorted(rng.sample(range(1, pages + 1), min(pages, count // 100))):
        for product in client.get(f"/products?limit=100&page={page}&sortBy=sku").json()["data"]:
            found.append((product["id"], [variant["id"] for variant in product["variants"]]))
    client.close()
    return found


def rebuild(bench, running, size):
    """The search index is built anew while visitors search: none of them may meet an error or an empty answer."""
    outcome = {}

    def reindex():
        outcome["done"] = running.shopctl("reindex", limit_s=3600)

    words = generate.vocabulary(random.Random(7), 3000)[:40]  # the most frequent: every one of them is in many products
    client, seen, failed, empty, begin = running.client(), 0, 0, 0, time.monotonic()
    worker = threading.Thread(target=reindex)
    worker.start()
    while worker.is_alive():
        answer = client.get(f"/search/products?q={words[seen % len(words)]}&limit=5")
        seen += 1
        failed += answer.status != 200
        empty += answer.status == 200 and not answer.json()["data"]
        time.sleep(0.002)
    took = time.monotonic() - begin
    worker.join()
    client.close()
    if outcome["done"].returncode:
        raise Void(f"the rebuild failed: {outcome['done'].stderr[-300:]}")
    bench.add(10, f"rebuild of {size} products: rate", size / took, "products/s")
    bench.add(10, f"rebuild of {size} products: failed or empty of {seen} searches meanwhile", failed + empty, "searches", at_most=0)
