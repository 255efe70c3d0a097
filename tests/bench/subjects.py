"""What is measured: shops with a catalogue, the requests that are sent to them, and what all benchmarks share."""
import contextlib
import json
import pathlib
import random
import shutil
import tempfile
import time

import generate
from measure import Component, Load, Table, Void, cpu_seconds, middle, shop

import stack  # of tests/lib, which measure.py has put on the path

GUEST = {"guestEmail": "bench@example.org", "phone": "555-0100", "paymentMethod": "CASH_ON_DELIVERY",
         "shippingAddress": {"address": "1 Main Street", "city": "Montpellier"}}
KEY = {"Idempotency-Key": "bench-{n}"}
LIST = ("GET", "/products?page=1&limit=20", 200)
UNLIMITED = {"LOGINS_PER_MINUTE": "100000000", "LOGIN_FAILURES_PER_MINUTE": "100000000"}  # one address is all of the load
SEED = 7
CHUNK = 20_000  # products a file
CUSTOMER = {"name": "Some Body", "email": "customer@example.org", "password": "a-good-password"}


def order_of(*lines):
    return {**GUEST, "items": [{"variantId": variant, "quantity": quantity} for variant, quantity in lines]}


def customer(running):
    """A token of somebody who buys."""
    client = running.client()
    answer = client.post("/auth/register", CUSTOMER)
    if answer.status == 409:
        answer = client.post("/auth/login", {"email": CUSTOMER["email"], "password": CUSTOMER["password"]})
    client.close()
    if answer.status not in (200, 201):
        raise Void(f"the customer was answered {answer}")
    return answer.json()["token"]


def import_catalogue(running, products, folder, limit_s=1800):
    """Seconds that it took, and with the search index; making the files does not count."""
    stored = 0.0
    for number, file in enumerate(generate.files(products, SEED, CHUNK)):
        path = pathlib.Path(folder) / f"catalogue-{number}.json"
        path.write_text(json.dumps(file))
        begin = time.monotonic()
        done = running.shopctl("import", str(path), limit_s=limit_s)
        stored += time.monotonic() - begin
        path.unlink()
        if done.returncode:
            raise Void(f"the import failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    begin, client = time.monotonic(), running.client()
    found, limit_s = None, 60 + 4 * stored  # the index goes along with the import
    while (found := client.get("/search/products?limit=1").json().get("pagination", {}).get("total")) != products:
        if time.monotonic() - begin > limit_s:
            raise Void(f"{found} of {products} products can be searched {limit_s:.0f} s after the import")
        time.sleep(0.1)
    client.close()
    return stored, stored + time.monotonic() - begin


def variants_of(running, count=400):
    """(product, its variants) of the first products of the catalogue."""
    client, found = running.client(), []
    for page in range(1, count // 100 + 1):
        for product in client.get(f"/products?limit=100&page={page}&sortBy=sku&sortOrder=asc").json()["data"]:
            found.append((product["id"], [variant["id"] for variant in product["variants"]]))
    client.close()
    return found


def details(products, count=2000):
    zipf, rng = generate.Zipf(len(products)), random.Random(11)
    return [("GET", f"/products/id/{products[zipf.draw(rng)][0]}", 200) for _ in range(count)]


def words(count=500):
    """Texts to search for, as often as they occur in the catalogue."""
    zipf, rng, all_words = generate.Zipf(3000), random.Random(5), generate.vocabulary(random.Random(SEED), 3000)
    return [all_words[zipf.draw(rng)] for _ in range(count)]


def searches(count=500):
    return [("GET", f"/search/products?q={word}", 200) for word in words(count)]


def checkouts(products, token, lines=2, count=3000):
    """Orders of a customer who is logged in, of different products."""
    rng, zipf = random.Random(3), generate.Zipf(len(products))
    headers, requests = {**KEY, "Authorization": f"Bearer {token}"}, []
    for _ in range(count):
        chosen = set()
        while len(chosen) < lines:
            chosen.add(products[zipf.draw(rng)][1][rng.randrange(len(products[0][1]))])
        requests.append(("POST", "/orders", 201, order_of(*((variant, 1) for variant in sorted(chosen))), headers))
    return requests


def carts(running, count=200):
    client = running.client()
    made = [client.post("/carts").json()["id"] for _ in range(count)]
    client.close()
    return made


def additions(products, cart_ids, count=2000):
    """At most ten different lines a cart: a cart that grows without end would be another subject."""
    rng, requests = random.Random(13), []
    for n in range(count):
        product, variants = rng.choice(products)
        requests.append(("POST", f"/carts/{cart_ids[n % len(cart_ids)]}/items", 200,
                         {"productId": product, "variantId": rng.choice(variants), "quantity": 1, "price": 1}))
    return requests


def shop_mix(running, products, token):
    """Online Boutique's weights: index 1, set currency 2, browse 10, add to cart 2, view cart 3, check out 1."""
    rng, cart_ids = random.Random(17), carts(running)
    adding = additions(products, cart_ids)
    ordering = checkouts(products, token, lines=1, count=400)
    kinds = [lambda: LIST,
             lambda: ("GET", "/products/currencies", 200),
             lambda: ("GET", f"/products/id/{rng.choice(products)[0]}", 200),
             lambda: rng.choice(adding),
             lambda: ("GET", f"/carts/{rng.choice(cart_ids)}", 200),
             lambda: rng.choice(ordering)]
    return Load([rng.choices(kinds, [1, 2, 10, 2, 3, 1])[0]() for _ in range(4000)])


class Bench:
    """Options, results, and the shops that several benchmarks use."""

    def __init__(self, options):
        self.options, self.quick, self.table = options, options.quick, Table()
        self.seconds = options.seconds or (1.5 if options.quick else 2.5)
        self.runs = options.runs or 5
        self.products = options.products or (1_000 if options.quick else 10_000)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-bench-"))
        self.folder.chmod(0o711)
        self.open = contextlib.ExitStack()
        self.many, self.idle_cores = None, 0.0

    def add(self, *values, **more):
        self.table.add(*values, **more)

    def large(self):
        """A shop in one process with the large catalogue, which is made once."""
        kept = self.folder / "large"
        if not kept.exists():
            with shop.OneProcess(demo=False, data=kept) as running:
                running.shopctl("create-admin", *shop.ADMIN)
                stored, indexed = import_catalogue(running, self.products, self.folder)
                running.stop()
            self.add("-", f"import of {self.products} products with {self.products * 4} variants", self.products / stored, "products/s")
            self.add("-", "import until all can be searched", self.products / indexed, "products/s")
        pathlib.Path(f"{kept}.log").unlink(missing_ok=True)
        return shop.OneProcess(demo=False, data=kept, environment=UNLIMITED)

    def postgres(self):
        return Component("postgres", self.folder / "postgres")

    def distributed(self):
        """The distributed shop with the large catalogue; it runs until the end."""
        if not self.many:
            begin = time.monotonic()
            self.many = self.open.enter_context(stack.started(demo=False, **UNLIMITED))
            self.many.shopctl("create-admin", *shop.ADMIN)
            print(f"  the distributed shop runs after {time.monotonic() - begin:.0f} s", flush=True)
            stored, _ = import_catalogue(self.many, self.products, self.folder)
            self.add("-", f"distributed: import of {self.products} products with {self.products * 4} variants", self.products / stored, "products/s")
            time.sleep(3)
            before = cpu_seconds(self.everything())
            time.sleep(3)
            self.idle_cores = (cpu_seconds(self.everything()) - before) / 3
            self.add("-", "distributed: CPU of every process with nothing to do", self.idle_cores * 100, "% of a core")
        return self.many

    def everything(self):
        """Services and stores."""
        return self.many.pids() + [entry["pid"] for entry in self.many.stack.state["components"].values()]

    def quiet_cores(self):
        return self.idle_cores + 0.15

    def open_loop(self, goal, what, load, port, pids, p50_ms=None, p99_ms=None, connections=16):
        """The most in a closed loop; then CPU and latency at half of it and at 80 %, when requests are due at a constant rate."""
        most = middle([load.run(port, pids, connections, self.seconds)["per_second"] for _ in range(3)])
        half = [load.run(port, pids, connections, self.seconds, rate=most / 2) for _ in range(self.runs)]
        near = [load.run(port, pids, connections, self.seconds, rate=most * 0.8) for _ in range(self.runs)]
        self.add(goal, f"{what}: most, closed loop, {connections} connections", most, "req/s")
        self.add(goal, f"{what}: CPU at half load", middle([r["cpu_us"] for r in half]), "us/req")
        self.add(goal, f"{what}: p50 at half load", middle([r["p50_us"] for r in half]) / 1000, "ms", at_most=p50_ms)
        self.add(goal, f"{what}: p99 at half load", middle([r["p99_us"] for r in half]) / 1000, "ms", at_most=p99_ms)
        self.add(goal, f"{what}: p99 at 80 % load", middle([r["p99_us"] for r in near]) / 1000, "ms")

    def close(self):
        self.open.close()
        shutil.rmtree(self.folder, ignore_errors=True)
