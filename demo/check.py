#!/usr/bin/env python3
"""Checks catalogue.json and images/ against the rules of the import format and prints every fault.

Usage: check.py [FOLDER]        FOLDER is this file's own by default; the exit code is 1 when anything is wrong
"""

import json
import re
import struct
import sys
from decimal import Decimal
from pathlib import Path

LANGUAGES = ["en", "fr", "ar"]
ARABIC = re.compile("[\u0621-\u064a]")
PRICE = re.compile(r"(0|[1-9]\d*)\.\d{2}")
RATE = re.compile(r"(0|[1-9]\d*)(\.\d+)?")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SKU = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
COLOUR = re.compile(r"#[0-9a-f]{6}")
SENTENCE_END = re.compile(r"[.!?؟](\s|$)")

PRODUCT_COUNT = 50
CATEGORY_COUNT = range(28, 35)
ROOT_COUNT = range(6, 8)
VARIANT_COUNT = range(2, 7)
STOCK = range(20_000, 100_001)
COST_SHARE_MIN, COST_SHARE_MAX = Decimal("0.50"), Decimal("0.75")
PRICE_BOUNDS = [0, 50, 100, 200, 500, 10**6]

PRODUCT_SIZE, PRODUCT_BYTES_MAX = (640, 640), 12_000
BANNER_SIZE, BANNER_BYTES_MAX = (1200, 400), 25_000
FOLDER_BYTES_MAX = 700_000

faults = []


def expect(condition, where, message):
    if not condition:
        faults.append(f"{where}: {message}")
    return bool(condition)


def has_fields(thing, names, where):
    """True when `thing` is an object with exactly these fields, so that the caller may read them."""
    if not expect(isinstance(thing, dict), where, "is not an object"):
        return False
    for name in names:
        expect(name in thing, where, f"lacks {name}")
    for name in thing:
        expect(name in names, where, f"has the unknown field {name}")
    return all(name in thing for name in names)


def is_text(value):
    return isinstance(value, str) and value != "" and value == value.strip()


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def matches(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def check_texts(texts, where, length_max):
    if not has_fields(texts, LANGUAGES, where):
        return False
    for language in LANGUAGES:
        text = texts[language]
        if expect(is_text(text), where, f"{language} is empty, no text or has blanks around it"):
            expect(len(text) <= length_max, where, f"{language} is longer than {length_max} characters")
            expect((ARABIC.search(text) is not None) == (language == "ar"), where, f"{language} is in the wrong script")
    return all(is_text(texts[language]) for language in LANGUAGES)


def check_unique(values, what):
    seen = set()
    for value in values:
        expect(value not in seen, what, f"{value} occurs more than once")
        seen.add(value)


def check_categories(roots):
    """Returns the slugs of the leaves."""
    slugs, leaves = [], []
    for root in roots:
        where = f"category {root.get('slug')}"
        if not has_fields(root, ["slug", "name", "children"], where):
            continue
        slugs.append(root["slug"])
        check_texts(root["name"], f"{where}, name", 200)
        expect(root["children"], where, "is a root without children")
        for leaf in root["children"]:
            where = f"category {leaf.get('slug')}"
            if has_fields(leaf, ["slug", "name", "children"], where):
                leaves.append(leaf["slug"])
                check_texts(leaf["name"], f"{where}, name", 200)
                expect(leaf["children"] == [], where, "has children, but the tree has two levels")
    slugs += leaves
    for slug in slugs:
        expect(
            matches(SLUG, slug) and len(slug) <= 100, f"category {slug}", "the slug is not made of a-z, 0-9 and hyphens"
        )
    check_unique(slugs, "category slugs")
    expect(len(roots) in ROOT_COUNT, "categories", f"{len(roots)} roots")
    expect(len(slugs) in CATEGORY_COUNT, "categories", f"{len(slugs)} in all")
    electronics = [root for root in roots if root.get("slug") == "electronique"]
    if expect(electronics, "categories", "the root electronique is missing"):
        expect(
            "smartphones" in [leaf.get("slug") for leaf in electronics[0].get("children", [])],
            "category electronique",
            "lacks smartphones",
        )
    return leaves


def check_variant(variant, where):
    if not has_fields(
        variant, ["sku", "attributes", "price", "costPrice", "stockQuantity", "lowStockThreshold"], where
    ):
        return
    expect(matches(SKU, variant["sku"]), where, "the SKU is not made of A-Z, 0-9 and hyphens")
    for field in ("stockQuantity", "lowStockThreshold"):
        expect(is_count(variant[field]), where, f"{field} is no whole number")
    expect(variant["stockQuantity"] in STOCK, where, f"stockQuantity is outside {STOCK.start} to {STOCK.stop - 1}")

    attributes = variant["attributes"]
    if expect(isinstance(attributes, dict) and attributes, where, "has no attributes"):
        expect(
            all(is_text(part) for pair in attributes.items() for part in pair),
            where,
            "an attribute is empty or no text",
        )
        expect(("Color" in attributes) == ("colorHex" in attributes), where, "Color and colorHex go together")
        expect(matches(COLOUR, attributes.get("colorHex", "#000000")), where, "colorHex is not #rrggbb")

    prices = [variant["price"], variant["costPrice"]]
    if expect(
        all(matches(PRICE, price) for price in prices), where, "price or costPrice is not a decimal with two places"
    ):
        price, cost = map(Decimal, prices)
        expect(
            price > 0 and price * COST_SHARE_MIN <= cost <= price * COST_SHARE_MAX,
            where,
            "costPrice is not 50 to 75 % of the price",
        )


def check_product(product, leaves):
    """Checks one product and returns its variants."""
    where = f"product {product.get('sku')}"
    if not has_fields(product, ["sku", "name", "description", "category", "images", "variants"], where):
        return []
    expect(matches(SKU, product["sku"]), where, "the SKU is not made of A-Z, 0-9 and hyphens")
    check_texts(product["name"], f"{where}, name", 200)
    if check_texts(product["description"], f"{where}, description", 20_000):
        for language, text in product["description"].items():
            expect(
                len(SENTENCE_END.findall(text)) in (2, 3),
                f"{where}, description",
                f"{language} is not two or three sentences",
            )
    expect(product["category"] in leaves, where, f"{product['category']} is no leaf category")
    expect(len(product["images"]) > 0, where, "has no picture")
    expect(len(product["variants"]) in VARIANT_COUNT, where, f"{len(product['variants'])} variants")
    for variant in product["variants"]:
        check_variant(variant, f"variant {variant.get('sku')}")
    check_unique(
        (json.dumps(variant.get("attributes"), sort_keys=True) for variant in product["variants"]),
        f"{where}, attributes",
    )
    return product["variants"]


def check_products(products, leaves):
    variants = [variant for product in products for variant in check_product(product, leaves)]
    expect(len(products) == PRODUCT_COUNT, "products", f"{len(products)} instead of {PRODUCT_COUNT}")
    check_unique((product.get("sku") for product in products), "product SKUs")
    check_unique((variant.get("sku") for variant in variants), "variant SKUs")
    for leaf in leaves:
        expect(any(product.get("category") == leaf for product in products), f"category {leaf}", "has no product")
    prices = [Decimal(variant["price"]) for variant in variants if matches(PRICE, variant.get("price"))]
    for low, high in zip(PRICE_BOUNDS, PRICE_BOUNDS[1:]):
        expect(any(low <= price < high for price in prices), "prices", f"none from {low} to {high}")
    hexes = {}
    for variant in variants:
        attributes = variant.get("attributes") or {}
        if "Color" in attributes:
            usual = hexes.setdefault(attributes["Color"], attributes.get("colorHex"))
            expect(
                usual == attributes.get("colorHex"),
                f"variant {variant.get('sku')}",
                f"{attributes['Color']} is {usual} elsewhere",
            )


def check_currencies(currencies):
    for currency in currencies:
        where = f"currency {currency.get('code')}"
        optional = ["isBase"] if "isBase" in currency else []
        if has_fields(currency, ["code", "rateVsBase"] + optional, where):
            expect(matches(re.compile("[A-Z]{3}"), currency["code"]), where, "the code is not three capitals")
            if expect(matches(RATE, currency["rateVsBase"]), where, "rateVsBase is no decimal text"):
                expect(Decimal(currency["rateVsBase"]) > 0, where, "rateVsBase is not above 0")
            if optional:
                expect(
                    currency["isBase"] is True and currency["rateVsBase"] == "1",
                    where,
                    "isBase is true with rate 1, or absent",
                )
    check_unique((currency.get("code") for currency in currencies), "currencies")
    rates = {currency.get("code"): currency.get("rateVsBase") for currency in currencies}
    expect(rates == {"USD": "1", "EUR": "0.92", "DZD": "135.5"}, "currencies", "are not USD 1, EUR 0.92 and DZD 135.5")
    expect(
        [currency.get("code") for currency in currencies if currency.get("isBase")] == ["USD"],
        "currencies",
        "USD is not the only base",
    )


def check_promotions(promotions, leaves, pictures):
    fields = [
        "title",
        "subtitle",
        "tagline",
        "ctaText",
        "ctaLink",
        "image",
        "productImage",
        "expiresInDays",
        "isActive",
        "displayOrder",
    ]
    links = ["/shop/all"] + [f"/shop/{slug}" for slug in leaves]
    for index, promotion in enumerate(promotions):
        where = f"promotion {index}"
        if not has_fields(promotion, fields, where):
            continue
        for field in fields[:4]:
            check_texts(promotion[field], f"{where}, {field}", 200)
        expect(promotion["ctaLink"] in links, where, f"{promotion['ctaLink']} leads nowhere")
        expect(
            promotion["productImage"] is None or promotion["productImage"] in pictures,
            where,
            "productImage is no product's picture",
        )
        expect(promotion["isActive"] is True, where, "is not active")
        expect(promotion["displayOrder"] == index, where, f"displayOrder is {promotion['displayOrder']}")
    expect(len(promotions) == 4, "promotions", f"{len(promotions)} instead of 4")
    lifetimes = [promotion.get("expiresInDays") for promotion in promotions]
    expect(
        lifetimes.count(30) == 1 and lifetimes.count(None) == len(lifetimes) - 1,
        "promotions",
        "expiresInDays is not 30 for exactly one and null for the others",
    )


def picture_size(data):
    """(width, height) from the header of a PNG or WebP file, None for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        return struct.unpack(">II", data[16:24])
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or struct.unpack("<I", data[4:8])[0] + 8 != len(data):
        return None
    if data[12:16] == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if data[12:16] == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack("<I", data[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


def is_picture_of(data, suffix):
    return suffix == (".png" if data[:4] == b"\x89PNG" else ".webp")


def check_pictures(folder, products, banners):
    check_unique(products + banners, "pictures")
    for names, size, bytes_max in (
        (products, PRODUCT_SIZE, PRODUCT_BYTES_MAX),
        (banners, BANNER_SIZE, BANNER_BYTES_MAX),
    ):
        for name in names:
            path = folder / str(name)
            if expect(path.is_file() and path.parent == folder, f"picture {name}", "does not exist"):
                data = path.read_bytes()
                found = picture_size(data)
                if expect(
                    found and is_picture_of(data, path.suffix), f"picture {name}", "is not PNG or WebP as its name says"
                ):
                    expect(found == size, f"picture {name}", f"is {found[0]}x{found[1]} instead of {size[0]}x{size[1]}")
                expect(len(data) < bytes_max, f"picture {name}", f"has {len(data)} bytes, the limit is {bytes_max}")
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in files:
        expect(path.name in products + banners, f"picture {path.name}", "is used by no product or promotion")
    total = sum(path.stat().st_size for path in files)
    expect(total < FOLDER_BYTES_MAX, "pictures", f"{total} bytes in all, the limit is {FOLDER_BYTES_MAX}")


def check(folder):
    catalogue = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
    if not has_fields(catalogue, ["categories", "products", "currencies", "promotions"], "catalogue"):
        return
    leaves = check_categories(catalogue["categories"])
    check_products(catalogue["products"], leaves)
    check_currencies(catalogue["currencies"])
    products = [name for product in catalogue["products"] for name in product.get("images", [])]
    check_promotions(catalogue["promotions"], leaves, products)
    check_pictures(folder / "images", products, [promotion.get("image") for promotion in catalogue["promotions"]])


def main():
    check(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
    print("\n".join(faults) or "no faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
