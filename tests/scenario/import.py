#!/usr/bin/env python3
"""The real catalogue goes in and is sold from: tests/scenario/import.py.

The Adventure Works data lie in `shared/data/adventureworks` beside the clone; SHOP_SHARED names another `shared`. What is shown: all of
it goes in with its pictures, a visitor finds, fills a cart, registers, orders; a second import changes nothing; faulty rows are named and
left out; an import that is killed is completed by the next; files that are no catalogue are refused with a sentence.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402

SHARED = pathlib.Path(os.environ.get("SHOP_SHARED", lib.ROOT.parent / "shared"))
FOLDER = SHARED / "data" / "adventureworks"


def expect(answer, status, what):
    assert answer.status == status, f"{what}: expected {status}, came {answer}"
    return answer.json() if answer.body else None


def create_admin(shop):
    made = shop.shopctl("create-admin", *lib.ADMIN)
    assert made.returncode == 0, made.stderr
    return shop.admin()


def every_product(client):
    products, page = [], 1
    while True:
        answer = expect(client.get(f"/products?limit=100&page={page}&sortBy=sku&sortOrder=asc"), 200, "listing")
        products += answer["data"]
        if page >= answer["pagination"]["totalPages"]:
            return products
        page += 1


def real(catalogue):
    """Everything goes in, and is what the file says."""
    leaves = sum(len(root.get("children", [])) for root in catalogue["categories"])
    wanted = {row["sku"]: row for row in catalogue["products"]}
    with lib.OneProcess(demo=False) as shop:
        admin = create_admin(shop)
        begun = time.monotonic()
        run = shop.shopctl("import", str(FOLDER / "catalog.json"))
        took = time.monotonic() - begun
        assert run.returncode == 0, f"the import ended with {run.returncode}: {run.stdout}{run.stderr}"
        variants = sum(len(row["variants"]) for row in wanted.values())
        pictures = len({name for row in wanted.values() for name in row["images"]})
        said = (f"{leaves + len(catalogue['categories'])} categories created; products: {len(wanted)} created, 0 updated, 0 unchanged;"
                f" {variants} variants created; {pictures} pictures.")
        assert run.stdout.strip().endswith(said), f"expected {said!r}, came {run.stdout!r}"

        products = every_product(admin)
        assert {p["sku"] for p in products} == set(wanted), "other products are there than the file has"
        tree = expect(admin.get("/products/categories?format=tree"), 200, "categories")
        assert {c["slug"] for c in tree} == {c["slug"] for c in catalogue["categories"]}
        for product in products:
            row = wanted[product["sku"]]
            texts = expect(admin.get(f"/products/id/{product['id']}"), 200, "detail")["data"]
            assert texts["name"] == row["name"], product["sku"]
            assert texts["description"] == {k: t for k, t in (row["description"] or {}).items() if t}, product["sku"]
            assert [c["slug"] for c in product["categories"]] == [row["category"]], product["sku"]
            assert len(product["images"]) == len(row["images"]), product["sku"]
            came = sorted((json.dumps(v["attributes"], sort_keys=True), float(v["price"]), v["stockQuantity"]) for v in product["variants"])
            told = sorted((json.dumps({k: t for k, t in v["attributes"].items() if t}, sort_keys=True), float(v["price"]), v["stockQuantity"])
                          for v in row["variants"])
            assert came == told, f"{product['sku']}: {came} instead of {told}"
        address = next(p["images"][0]["imageUrl"] for p in products if p["images"])
        picture = admin.get("/images/" + address.rsplit("/", 1)[1])
        assert picture.status == 200 and picture.headers["Content-Type"] == "image/gif" and picture.body.startswith(b"GIF8"), picture

        visit(shop, admin)
        before = every_product(admin)
        again = shop.shopctl("import", str(FOLDER / "catalog.json"))
        assert again.returncode == 0, again.stderr
        assert f"0 categories created; products: 0 created, 0 updated, {len(wanted)} unchanged; 0 variants created" in again.stdout, again.stdout
        assert every_product(admin) == before, "a second import changed something"
        return took


def visit(shop, admin):
    """From the search to the order, and what the ledger says of it."""
    visitor = shop.client()

    def found(word, language):
        answer = visitor.get(f"/search/products?q={word}&limit=100", headers={"Accept-Language": language})
        return expect(answer, 200, f"searching {word}")["data"]

    wheels = lib.eventually(lambda: found("wheel", "en"))
    assert all("wheel" in json.dumps(hit).lower() for hit in wheels), "a hit has no wheel"
    roues = lib.eventually(lambda: found("roue", "fr"))
    assert any("Wheel" in hit["name"] for hit in roues), [hit["name"] for hit in roues]
    hit = next(h for h in wheels if any(v["stockQuantity"] >= 3 for v in h["variants"]))
    variant = next(v for v in hit["variants"] if v["stockQuantity"] >= 3)

    cart = expect(visitor.post("/carts"), 201, "a cart")["id"]
    line = {"productId": hit["id"], "variantId": variant["id"], "quantity": 2, "price": 1, "name": "?"}
    filled = expect(visitor.post(f"/carts/{cart}/items", line), 200, "filling the cart")
    assert filled["items"][0]["price"] == float(variant["price"]) and filled["items"][0]["name"] == hit["name"], filled
    token = expect(visitor.post("/auth/register", {"name": "Cyclist", "email": "cyclist@example.org", "password": "on two wheels"}), 201, "registering")["token"]
    buyer = shop.client(token)
    me = expect(buyer.get("/auth/me"), 200, "me")
    mine = expect(buyer.post("/carts/associate", {"cartId": cart, "userId": me["id"]}), 200, "associating")
    assert mine["userId"] == me["id"] and len(mine["items"]) == 1, mine
    request = {"phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "shippingAddress": {"city": "Montpellier"}, "items": mine["items"]}
    order = expect(buyer.post("/orders", request), 201, "ordering")
    assert order["items"][0]["priceAtTimeOfOrder"] == variant["price"] and order["customerEmail"] == "cyclist@example.org", order
    left = expect(visitor.get(f"/products/variants/{variant['id']}"), 200, "the variant")["stockQuantity"]
    assert left == variant["stockQuantity"] - 2, f"{left} left of {variant['stockQuantity']} after an order of 2"
    ledger = expect(admin.get(f"/products/stock/history/{variant['id']}"), 200, "the ledger")
    assert ledger[0]["type"] == "ORDER" and ledger[0]["changeQuantity"] == -2 and ledger[0]["relatedOrderId"] == order["id"], ledger[0]
    lib.eventually(lambda: any(v["id"] == variant["id"] and v["stockQuantity"] == left for h in found("wheel", "en") for v in h["variants"]))


def faulty(catalogue, folder):
    """Each faulty row is named with its reason; the good ones go in. The shop need not run."""
    good = catalogue["products"][:6]
    broken = json.loads(json.dumps(catalogue["products"][6:14]))
    broken[0]["variants"][0]["price"] = "12.345"
    broken[1]["variants"][0]["price"] = -5
    broken[2]["images"] = ["no-such-picture.gif"]
    broken[3]["category"] = "no-such-category"
    broken[4]["name"] = "Not an object"
    broken[5]["variants"][0]["stockQuantity"] = "many"
    broken[6]["images"] = ["../catalog.json"]
    broken[7]["sku"] = "has a space"
    doubled = json.loads(json.dumps(good[0]))
    doubled["name"] = {"en": "Second of its SKU"}
    rows = [broken[0], good[0], broken[1], good[1], doubled, broken[2], good[2], broken[3], "not even an object", broken[4], good[3],
            broken[5], {"name": {"en": "No SKU"}}, good[4], broken[6], None, good[5], broken[7]]
    categories = catalogue["categories"] + [{"slug": "Bad Slug", "name": {"en": "Bad"}}, {"slug": "no-name"}, 5]
    path = folder / "faulty.json"
    path.write_text(json.dumps({"categories": categories, "products": rows}))
    reasons = {
        f"product {broken[0]['sku']}": "variants[0].price", f"product {broken[1]['sku']}": "variants[0].price",
        f"product {broken[2]['sku']}": "no-such-picture.gif", f"product {broken[3]['sku']}": "no-such-category",
        f"product {broken[4]['sku']}": "name", f"product {broken[5]['sku']}": "variants[0].stockQuantity",
        f"product {broken[6]['sku']}": "catalog.json", "product has a space": "sku", f"product {good[0]['sku']}": "twice",
        "product 9 of the file": "object", "product 13 of the file": "sku is missing", "product 16 of the file": "object",
        "category Bad Slug": "slug", "category no-name": "name is missing", f"category {len(catalogue['categories']) + 3} of the file": "object",
    }
    shop = lib.OneProcess(demo=False)
    try:
        run = shop.shopctl("import", str(path), "--images", str(FOLDER / "images"))
        assert run.returncode == 1, f"faulty rows, exit code {run.returncode}: {run.stderr}"
        said = dict(l.removeprefix("not imported: ").split(": ", 1) for l in run.stderr.splitlines() if l.startswith("not imported: "))
        assert set(said) == set(reasons), f"named {sorted(set(said) ^ set(reasons))} wrongly or not:\n{run.stderr}"
        for row, word in reasons.items():
            assert word in said[row], f"{row}: {said[row]!r} does not say {word!r}"
        assert f"{len(good)} created" in run.stdout, run.stdout
        shop.start()
        products = every_product(shop.client())
        assert sorted(p["sku"] for p in products) == sorted(row["sku"] for row in good)
        assert next(p for p in products if p["sku"] == good[0]["sku"])["name"] == good[0]["name"]["en"], "the second of a SKU replaced the first"
    finally:
        shop.__exit__(None, None, None)


def odd_skus(folder):
    """A SKU may hold what means something in a path: found again by an import into no running shop, into a running one, and afterwards."""
    skus = ["A/1", "/A//2/", "A\\3", "%2F4", "?#&=+5"]
    path = folder / "odd.json"
    path.write_text(json.dumps({"categories": [], "products": [{"sku": sku, "name": {"en": sku}, "variants": [{"price": 1}]} for sku in skus]}))
    shop = lib.OneProcess(demo=False)
    try:
        for running, created in ((False, 5), (False, 0), (True, 0)):
            if running:
                shop.start()
            run = shop.shopctl("import", str(path))
            assert run.returncode == 0 and f"{created} created, 0 updated, {5 - created} unchanged" in run.stdout, f"{running}: {run.stdout}{run.stderr}"
        assert sorted(p["sku"] for p in every_product(shop.client())) == sorted(skus)
    finally:
        shop.__exit__(None, None, None)


def killed(catalogue):
    """kill -9 in the middle, of the import and of the shop: the next import completes it."""
    wanted = {row["sku"]: len(row["variants"]) for row in catalogue["products"]}
    with lib.OneProcess(demo=False) as shop:
        create_admin(shop)
        command = [lib.program("shopctl"), "--data", str(shop.data), "import", str(FOLDER / "catalog.json")]
        for victim in ("the import", "the shop"):
            client = shop.client()
            start = client.get("/products").json()["pagination"]["total"]
            running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                lib.eventually(lambda: running.poll() is not None or client.get("/products").json()["pagination"]["total"] > start + 15, 60, 0.005)
                assert running.poll() is None, f"the import was over before it could be killed: {running.stderr.read()}"
                if victim == "the shop":
                    shop.kill()
                    _, said = running.communicate(timeout=60)
                    assert running.returncode == 1 and said.strip(), f"without its shop the import ended with {running.returncode}: {said}"
                    shop.start()
            finally:
                running.kill()
                running.wait()
                running.stderr.close()
            half = every_product(shop.client())
            assert start < len(half) < len(wanted), f"{len(half)} of {len(wanted)} when {victim} was killed"
            for product in half:
                assert len(product["variants"]) == wanted[product["sku"]], f"{product['sku']} went in half"
        rest = shop.shopctl("import", str(FOLDER / "catalog.json"))
        assert rest.returncode == 0, rest.stderr
        products = every_product(shop.client())
        assert {p["sku"]: len(p["variants"]) for p in products} == wanted, "something is missing or doubled"
        stock = {row["sku"]: sum(v["stockQuantity"] for v in row["variants"]) for row in catalogue["products"]}
        assert {p["sku"]: sum(v["stockQuantity"] for v in p["variants"]) for p in products} == stock


def refused(folder):
    """Files that are no catalogue, with a shop that does not run: a sentence, exit code 1, no stack of words."""
    (folder / "not.json").write_text('{"products": [')
    (folder / "list.json").write_text("[]")
    (folder / "no-products.json").write_text('{"categories": []}')
    (folder / "wrong-products.json").write_text('{"products": {"sku": "x"}}')
    (folder / "binary.json").write_bytes(bytes(range(256)))
    (folder / "empty.json").write_text("")
    (folder / "deep.json").write_text('{"products": ' + "[" * 5000 + "]" * 5000 + "}")
    with open(folder / "huge.json", "wb") as huge:
        huge.truncate(257 * 1024 * 1024)
    data = folder / "data"
    reasons = {"missing.json": "cannot be read", ".": "cannot be read", "not.json": "not valid JSON", "list.json": "no catalogue", "no-products.json": "no catalogue",
               "wrong-products.json": "no catalogue", "binary.json": "not valid JSON", "empty.json": "not valid JSON", "deep.json": "nested", "huge.json": "256 MB"}
    for name, reason in reasons.items():
        run = subprocess.run([lib.program("shopctl"), "--data", str(data), "import", str(folder / name)], capture_output=True, text=True, timeout=60)
        assert run.returncode == 1, f"{name}: exit code {run.returncode}"
        assert reason != "cannot be read" or not data.exists(), f"{name}: a file that cannot be read left a shop behind"
        assert run.stderr.startswith("shopctl: ") and reason in run.stderr and len(run.stderr.splitlines()) == 1, f"{name}: {run.stderr!r}"
    run = subprocess.run([lib.program("shopctl"), "--data", str(data), "import"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2, f"no file at all: exit code {run.returncode}"
    blocked = folder / "a-file"
    blocked.write_text("")
    run = subprocess.run([lib.program("shopctl"), "--data", str(blocked / "data"), "import", str(FOLDER / "catalog.json")], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and run.stderr.startswith("shopctl: "), f"a folder that cannot be made: {run.returncode} {run.stderr!r}"


def main():
    if not (FOLDER / "catalog.json").is_file():
        sys.exit(f"{FOLDER}/catalog.json is missing: put the Adventure Works catalogue there, or say by SHOP_SHARED where `shared` is.")
    catalogue = json.loads((FOLDER / "catalog.json").read_text())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-import-"))
    try:
        took = real(catalogue)
        faulty(catalogue, folder)
        odd_skus(folder)
        killed(catalogue)
        refused(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"import: {len(catalogue['products'])} products in {took:.1f} s; sold from; twice; faulty; odd SKUs; killed; refused")


if __name__ == "__main__":
    main()
