#!/usr/bin/env python3
"""GET /search/products as the contract's section 6 says it, over HTTP, on products of its own: python3 tests/search/search.py"""
import pathlib
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from shop import ADMIN, eventually, opened, quoted  # noqa: E402

FAILURES = []


def check(what, true, seen=""):
    if not true:
        FAILURES.append(what)
        print(f"FAILED: {what} {seen}")


def letters(count=10):
    """A word that no other product has, and no other is near to."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid.uuid4().hex[:count])


class Search:
    def __init__(self, client):
        self.client = client

    def __call__(self, query="", language="en", currency=None, status=200):
        headers = {"Accept-Language": language}
        if currency:
            headers["X-Currency"] = currency
        answer = self.client.get("/search/products" + ("?" + query if query else ""), headers=headers)
        if answer.status != status:
            raise AssertionError(f"{query}: {status} was expected, not {answer}")
        return answer.json()

    def skus(self, query, **more):
        return [hit["sku"] for hit in self(query, **more)["data"]]


class Catalogue:
    def __init__(self, admin, mark):
        self.admin, self.mark, self.count = admin, mark, 0
        self.parent = self.category(f"{mark}-top", None, {"en": f"Top {mark}"})
        self.leaf = self.category(f"{mark}-leaf", self.parent, {"en": f"Zweirad{mark}", "fr": f"Velo{mark}", "ar": "دراجات"})

    def category(self, slug, parent, name):
        answer = self.admin.post("/products/categories", {"name": name, "slug": slug, "parentId": parent})
        assert answer.status == 201, answer
        return answer.json()["id"]

    def product(self, sku=None, name=None, variants=None, category=True, **more):
        self.count += 1
        sku = sku or f"{self.mark}-{self.count}"
        body = {"sku": sku, "name": name or {"en": f"Thing {self.mark}"}, "variants": variants or [], **more}
        if category:
            body["categoryIds"] = [self.leaf]
        answer = self.admin.post("/products", body)
        assert answer.status == 201, answer
        return answer.json()


def variant(price, stock=5, **attributes):
    return {"attributes": attributes, "price": price, "initialStockQuantity": stock}


def found_at_once(search, catalogue):
    first = letters()  # a topic that is new to its readers takes seconds
    catalogue.product(name={"en": first})
    eventually(lambda: search(f"q={first}")["data"], limit_s=30)
    word = letters()
    product = catalogue.product(name={"en": f"Lamp {word}", "fr": f"Lampe Été {word}", "ar": "مصباحٌ"}, description={"en": "Shines.", "fr": "Éclaire la nuit œuvrée."},
                                variants=[variant("1299.99", 25, Color="Titanium Gray", colorHex="#8a8d8f"), variant("20", 0, Color="Red")])
    begun = time.monotonic()
    hit = eventually(lambda: search(f"q={word}")["data"])[0]
    took = time.monotonic() - begun
    check("a new product is found within 2 s", took < 2, took)
    mark = catalogue.mark
    expected = {
        "id": product["id"], "sku": product["sku"], "name": f"Lamp {word}", "description": "Shines.", "isActive": True, "averageRating": 0, "reviewCount": 0,
        "primaryImageUrl": None, "category_names_en": [f"Zweirad{mark}"], "category_names_fr": [f"Velo{mark}"], "category_names_ar": ["دراجات"],
        "category_slugs": [f"{mark}-leaf"], "categories": [{"name": f"Zweirad{mark}", "slug": f"{mark}-leaf"}],
        "variants": [{"id": v["id"], "attributes": v["attributes"], "price": v["price"], "stockQuantity": v["stockQuantity"]} for v in product["variants"]],
        "variant_attributes_flat": ["Color:Red", "Color:Titanium Gray", "colorHex:#8a8d8f"], "images": [],
        "createdAt": hit["createdAt"], "updatedAt": hit["updatedAt"],
    }
    check("a hit has exactly the contract's members", hit == expected, f"{hit}\n{expected}")
    check("prices are strings in the base currency", [v["price"] for v in hit["variants"]] == ["1299.99", "20"], hit["variants"])
    answer = search(f"q={word}", language="fr-FR,fr;q=0.9", currency="eur")
    check("texts follow the language", answer["data"][0]["name"] == f"Lampe Été {word}" and answer["data"][0]["categories"][0]["name"] == f"Velo{mark}", answer)
    check("prices follow the currency, as numbers", [v["price"] for v in answer["data"][0]["variants"]] == [1195.99, 18.4], answer["data"][0]["variants"])
    check("the base currency by name changes nothing", search(f"q={word}", currency="USD")["data"] == [hit])
    check("facets", search(f"q={word}")["facets"] == {
        "categories": [{"slug": f"{mark}-leaf", "count": 1}],
        "attributes": [{"name": "Color", "options": [{"value": "Red", "count": 1}, {"value": "Titanium Gray", "count": 1}]},
                       {"name": "colorHex", "options": [{"value": "#8a8d8f", "count": 1}]}],
        "price_ranges": [{"key": "*-50.0", "to": 50, "count": 1}, {"key": "500.0-*", "from": 500, "count": 1}]}, search(f"q={word}")["facets"])
    check("pagination", search(f"q={word}")["pagination"] == {"total": 1, "page": 1, "limit": 24, "totalPages": 1})
    check("case does not matter", search(f"q={word.upper()}")["data"] == [hit])
    check("accents do not matter", product["sku"] in search.skus(f"q=ete+{word}") and product["sku"] in search.skus(f"q=lampe+{quoted('ÉTÉ')}+{word}", language="fr"))
    check("ligatures do not matter", product["sku"] in search.skus(f"q=oeuvree+{word}", language="fr"))
    check("Arabic is found, with and without its marks", product["sku"] in search.skus(f"q={quoted('مصباح')}+{word}", language="ar"))
    check("all words are required", search(f"q={word}+{letters()}")["data"] == [])
    check("the SKU is found", product["sku"] in search.skus(f"q={product['sku']}"))
    check("attributes are found", product["sku"] in search.skus(f"q=titanium+{word}"))
    wrong = word[:4] + word[5:]
    check("a letter may be missing", search.skus(f"q={wrong}") == [product["sku"]], wrong)
    swapped = word[:2] + word[3] + word[2] + word[4:]
    check("letters may be exchanged", search.skus(f"q={swapped}") == [product["sku"]], swapped)
    check("punctuation alone finds nothing", search("q=%21%3F")["pagination"]["total"] == 0)


def follows_changes(search, catalogue):
    word, other = letters(), letters()
    product = catalogue.product(name={"en": word}, variants=[variant("10")])
    eventually(lambda: search(f"q={word}")["data"])
    assert catalogue.admin.put(f"/products/{product['id']}", {"name": {"en": other}}).status == 200
    eventually(lambda: search(f"q={other}")["data"])
    check("the old name is forgotten", search(f"q={word}")["data"] == [])
    assert catalogue.admin.put(f"/products/{product['id']}", {"isActive": False}).status == 200
    eventually(lambda: not search(f"q={other}")["data"])
    assert catalogue.admin.put(f"/products/{product['id']}", {"isActive": True}).status == 200
    eventually(lambda: search(f"q={other}")["data"])
    identity = product["variants"][0]["id"]
    answer = catalogue.admin.post(f"/products/stock/adjust/{identity}", {"changeQuantity": -5, "type": "ADMIN_UPDATE"})
    assert answer.status == 201, answer
    eventually(lambda: search(f"q={other}")["data"][0]["variants"][0]["stockQuantity"] == 0)
    check("what is sold out is not in stock", search(f"q={other}&inStock=true")["data"] == [])
    assert catalogue.admin.delete(f"/products/{product['id']}").status == 204
    eventually(lambda: not search(f"q={other}")["data"])


def filters_hold_for_one_variant(search, catalogue):
    word = letters()
    mixed = catalogue.product(name={"en": word}, variants=[variant("30", 0, Color="Red", Size="M"), variant("300", 7, Color="Blue", Size="L")])
    plain = catalogue.product(name={"en": word}, variants=[variant("40", 3, Color="Red", Size="L")])
    eventually(lambda: len(search(f"q={word}")["data"]) == 2)

    def hits(query):
        return set(search.skus(f"q={word}&{query}"))

    both, only_plain, only_mixed = {mixed["sku"], plain["sku"]}, {plain["sku"]}, {mixed["sku"]}
    color, size = "attributes%5BColor%5D%5B%5D", "attributes%5BSize%5D%5B%5D"
    check("one attribute", hits(f"{color}=Red") == both)
    check("alternatives of one attribute", hits(f"{color}=Red&{color}=Blue") == both)
    check("attributes of one variant", hits(f"{color}=Red&{size}=L") == only_plain)
    check("attribute and stock of one variant", hits(f"{color}=Red&inStock=true") == only_plain)
    check("attribute and price of one variant", hits(f"{color}=Red&minPrice=100") == set() and hits(f"{color}=Blue&minPrice=100") == only_mixed)
    check("price and stock of one variant", hits("inStock=true&maxPrice=50") == only_plain)
    check("bounds belong to the range", hits("minPrice=40&maxPrice=40") == only_plain and hits("minPrice=40.01&maxPrice=299.99") == set())
    check("bounds are in the visitor's currency", set(search.skus(f"q={word}&minPrice=36.8&maxPrice=36.8", currency="EUR")) == only_plain)
    check("inStock=false filters nothing", hits("inStock=false") == both)
    check("an unknown attribute finds nothing", hits("attributes[Weight][]=1") == set())
    check("brackets may come plain", hits("attributes[Color][]=Blue") == only_mixed)
    check("a category", hits(f"category={catalogue.mark}-leaf") == both)
    check("a category above", hits(f"category={catalogue.mark}-top") == both)
    check("another category", hits("category=no-such-category") == set())
    facets = search(f"q={word}&{color}=Blue")["facets"]
    check("facets follow the filters", facets["price_ranges"] == [{"key": "*-50.0", "to": 50, "count": 1}, {"key": "200.0-500.0", "from": 200, "to": 500, "count": 1}], facets)


def orders(search, catalogue):
    word = letters()
    for price, extra in (("30", "one two"), ("10", "one"), ("20", "one two three")):
        catalogue.product(sku=f"{catalogue.mark}-{word}-{price}", name={"en": f"{word} {extra}"}, variants=[variant(price)])
    catalogue.product(sku=f"{catalogue.mark}-{word}-none", name={"en": f"{word} a b c d e"})
    eventually(lambda: len(search(f"q={word}")["data"]) == 4)

    def ends(query):
        return [sku.rsplit("-", 1)[1] for sku in search.skus(f"q={word}&{query}")]

    check("by price", ends("sortBy=price&sortOrder=asc") == ["10", "20", "30", "none"], ends("sortBy=price&sortOrder=asc"))
    check("by price, falling", ends("sortBy=price") == ["30", "20", "10", "none"], ends("sortBy=price"))
    check("newest first", ends("sortBy=createdAt") == ["none", "20", "10", "30"], ends("sortBy=createdAt"))
    check("oldest first", ends("sortBy=createdAt&sortOrder=asc") == ["30", "10", "20", "none"])
    check("shorter names first", ends("") == ["10", "30", "20", "none"], ends(""))
    check("relevance, rising", ends("sortBy=_score&sortOrder=asc") == ["none", "20", "30", "10"])
    pages = [search(f"q={word}&limit=2&page={page}&sortBy=price&sortOrder=asc") for page in (1, 2, 3)]
    check("pages", [len(page["data"]) for page in pages] == [2, 2, 0] and pages[1]["pagination"] == {"total": 4, "page": 2, "limit": 2, "totalPages": 2}, pages[1]["pagination"])


def weighs_fields(search, catalogue):
    word = letters()
    expected = []

    def add(sku, **more):
        expected.append(catalogue.product(sku=f"{catalogue.mark}-{sku}", **more)["sku"])

    filler = {"en": "A quite long name that says nothing at all"}
    add("name", name={"en": f"A long name in which {word} comes"})
    add(f"sku-{word}", name=filler)
    add("description", name=filler, description={"en": f"{word}"})
    add("attribute", name=filler, variants=[variant("1", Material=word)])
    eventually(lambda: len(search(f"q={word}")["data"]) == 4)
    check("fields weigh as the contract says", search.skus(f"q={word}") == expected, search.skus(f"q={word}"))
    near = catalogue.product(name={"en": word[:-1] + ("a" if word[-1] != "a" else "b")})
    eventually(lambda: len(search(f"q={word}")["data"]) == 5)
    check("what is written right comes before what is near", search.skus(f"q={word}")[-1] == near["sku"])
    french = letters()
    a = catalogue.product(name={"en": french, "fr": "Autre"})
    b = catalogue.product(name={"en": "Other", "fr": french})
    eventually(lambda: len(search(f"q={french}")["data"]) == 2)
    check("the visitor's language comes before English", search.skus(f"q={french}", language="fr") == [b["sku"], a["sku"]])
    check("English before others", search.skus(f"q={french}", language="en") == [a["sku"], b["sku"]])


def refuses(search):
    for query in ("sortBy=sku", "sortBy=price&sortOrder=up", "minPrice=cheap", "page=101&limit=100", "page=417", "inStock=maybe", "attributes[=x"):
        answer = search(query, status=400)
        check(f"{query} is refused in words", answer.get("message") and answer.get("status") == 400, answer)
    search("", currency="XXX", status=400)
    search("", currency="nonsense", status=400)
    check("the last page there may be", search("page=100&limit=100")["pagination"]["page"] == 100)
    check("odd pages and limits fall back", search("page=0&limit=-3")["pagination"]["limit"] == 24 and search("limit=500")["pagination"]["limit"] == 100)
    check("internal routes are hidden", search.client.post("/search/internal/reindex").status == 404 and search.client.get("/search/internal/reindex").status == 404)


def rebuilds(shop, search, catalogue):
    word = letters()
    catalogue.product(name={"en": word})
    eventually(lambda: search(f"q={word}")["data"])
    if not hasattr(shop, "shopctl"):
        return
    outcome = shop.shopctl("reindex")
    check("shopctl reindex says what it did", outcome.returncode == 0 and outcome.stdout.startswith("Index rebuilt: "), outcome)
    check("everything is there afterwards", len(search(f"q={word}")["data"]) == 1)


def survives(shop, search, catalogue):
    """One process: killed, its index damaged, and lost; each time it is there again."""
    if not hasattr(shop, "data"):
        return
    word = letters()
    catalogue.product(name={"en": word})
    eventually(lambda: search(f"q={word}")["data"])
    folder = shop.data / "search"
    for damage in ("none", "a file cut short", "rubbish", "all lost"):
        shop.kill()
        generation = folder / (folder / "live").read_text().strip()
        if damage == "a file cut short":
            with open(generation / "postlist.glass", "r+b") as file:
                file.truncate(100)
        elif damage == "rubbish":
            (generation / "iamglass").write_bytes(b"rubbish")
        elif damage == "all lost":
            for path in sorted(folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
        shop.start()
        search.client.close()
        eventually(lambda: search.client.get(f"/search/products?q={word}").status == 200 and search(f"q={word}")["data"])
        check(f"found again after a crash; damage: {damage}", len(search(f"q={word}")["data"]) == 1)
    check("one generation is left", eventually(lambda: len(list(folder.glob("generation-*"))) == 1))
    catalogue.admin.close()


def main():
    with opened(demo=False) as shop:
        if hasattr(shop, "shopctl"):
            made = shop.shopctl("create-admin", *ADMIN)
            assert made.returncode == 0, made
        admin = shop.admin()
        for code, rate in (("EUR", "0.92"), ("DZD", "135.5")):
            assert admin.post("/products/currencies", {"code": code, "rateVsBase": rate}).status == 200
        search, catalogue = Search(shop.client()), Catalogue(admin, letters(6))
        found_at_once(search, catalogue)
        follows_changes(search, catalogue)
        filters_hold_for_one_variant(search, catalogue)
        orders(search, catalogue)
        weighs_fields(search, catalogue)
        refuses(search)
        rebuilds(shop, search, catalogue)
        survives(shop, search, catalogue)
    print(f"search: {len(FAILURES)} of the checks failed" if FAILURES else "search: all as the contract says")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
