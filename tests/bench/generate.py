#!/usr/bin/env python3
"""Writes a catalogue in the import format (docs/import-format.md), the same for the same seed.

    generate.py --products 10000 --seed 7 > catalogue.json      4 variants a product, a category for every 10 products, at most 1 000

Words are drawn with a Zipf distribution of exponent 0.99, as in a language; names and attributes are built from them.
"""
import argparse
import bisect
import itertools
import json
import random
import sys

COLOURS = ["Black", "White", "Red", "Blue", "Green", "Yellow", "Grey", "Silver"]
SIZES = ["XS", "S", "M", "L", "XL", "38", "40", "42", "44", "48"]
SYLLABLES = ["ba", "lo", "ri", "men", "ta", "vo", "ser", "qui", "do", "pla", "nel", "cor", "mi", "sta", "fen", "gra", "tu", "ham", "zi", "pe"]


class Zipf:
    """Ranks 0 .. n-1, rank k with weight 1 / (k + 1) ** exponent."""

    def __init__(self, n, exponent=0.99):
        self.sums = list(itertools.accumulate(1 / (k + 1) ** exponent for k in range(n)))

    def draw(self, rng):
        return min(bisect.bisect_left(self.sums, rng.random() * self.sums[-1]), len(self.sums) - 1)


def vocabulary(rng, size):
    words = {}
    while len(words) < size:
        words.setdefault("".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))))
    return list(words)


def files(products, seed, chunk=20_000, stock=10_000_000):
    """The catalogue in files of at most `chunk` products, made one after the other; each has the categories."""
    rng = random.Random(seed)
    words = vocabulary(rng, 3000)
    zipf = Zipf(len(words))
    text = lambda low, high: " ".join(words[zipf.draw(rng)] for _ in range(rng.randint(low, high)))
    leaves, roots = [], []
    for root in range(max(1, min(products, 10_000) // 100)):  # 1 000 categories at most
        children = []
        for child in range(9):
            slug = f"c-{root}-{child}"
            leaves.append(slug)
            children.append({"slug": slug, "name": {"en": text(1, 2).title()}})
        roots.append({"slug": f"r-{root}", "name": {"en": text(1, 2).title()}, "children": children})
    for first in range(0, products, chunk):
        rows = []
        for number in range(first, min(first + chunk, products)):
            price = rng.randint(199, 99_999)
            variants = []
            for n, (colour, size) in enumerate(rng.sample([(c, s) for c in COLOURS for s in SIZES], 4)):
                variants.append({"sku": f"P{number:07}-{n}", "attributes": {"Color": colour, "Size": size}, "price": f"{price / 100:.2f}",
                                 "costPrice": f"{price * 6 // 10 / 100:.2f}", "stockQuantity": stock, "lowStockThreshold": 5})
            rows.append({"sku": f"P{number:07}", "name": {"en": text(2, 4).title(), "fr": text(2, 4).title()},
                         "description": {"en": text(15, 40), "fr": text(15, 40)}, "category": rng.choice(leaves), "images": [], "variants": variants})
        yield {"categories": roots, "products": rows}


def catalogue(products, seed):
    return next(files(products, seed, products))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    json.dump(catalogue(chosen.products, chosen.seed), sys.stdout)
