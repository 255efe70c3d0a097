#!/usr/bin/env python3
"""Writes docs/benchmarks.md and its charts from the JSON of bench.py: report.py RESULT.json

With --against OLD.json prints what became worse by more than a quarter instead, and ends with 1 when anything did.
"""
import argparse
import html
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOALS = {"2": "Footprint", "4": "Hot stock", "5": "Checkout", "8": "Gateway", "9": "Catalogue", "10": "Search", "11": "Two modes", "12": "Login",
         "-": "Import"}
CHARTS = {"gateway": ("CPU of a proxied request, microseconds", [("HAProxy", "CPU: HAProxy"), ("nginx", "CPU: nginx"), ("api-gateway", "CPU: api-gateway")]),
          "checkout": ("Checkouts a second, one process, full durability",
                       [(f"{n} clients", f"one process: checkouts of 2 lines, {n} clients") for n in (1, 16, 64)])}


def chart(title, bars):
    most = max(value for _, value in bars)
    rows = []
    for i, (name, value) in enumerate(bars):
        y = 40 + i * 34
        width = max(2, round(380 * value / most))
        rows.append(f'<text x="110" y="{y + 15}" text-anchor="end">{html.escape(name)}</text>'
                    f'<rect x="120" y="{y}" width="{width}" height="22" fill="#3b6ea8"/><text x="{126 + width}" y="{y + 15}">{value:,.4g}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="{50 + 34 * len(bars)}" font-family="sans-serif" font-size="13">'
            f'<rect width="100%" height="100%" fill="white"/><text x="12" y="22" font-weight="bold">{html.escape(title)}</text>{"".join(rows)}</svg>\n')


def page(rows, figures):
    out = ["# Benchmarks", "",
           "Made by `make bench` on one machine in one run: medians of pairs A B A B, CPU per request over every process that serves it, latency in",
           "open loop. One unexpected answer voids a run. Durable settings stay on: SQLite `synchronous=FULL`, PostgreSQL `fsync=on`, Kafka `acks=all`.",
           "The machine had two cores that the load generator and the peers shared; quote ratios, not absolutes.", ""]
    for name, (title, bars) in CHARTS.items():
        values = [(label, figures[what]) for label, what in bars if what in figures]
        if len(values) == len(bars):
            (ROOT / f"docs/benchmarks-{name}.svg").write_text(chart(title, values))
            out += [f"![{title}](benchmarks-{name}.svg)", ""]
    for goal, title in GOALS.items():
        own = [row for row in rows if str(row["goal"]) == goal]
        if not own:
            continue
        out += [f"## {title}" + (f" (goal {goal})" if goal != "-" else ""), "", "| what | figure | aim | |", "| --- | ---: | --- | --- |"]
        for row in own:
            mark = {True: "reached", False: "**not reached**", None: ""}[row["reached"]]
            out.append(f"| {row['what']} | {row['figure']:,.4g} {row['unit']} | {row['aim']} | {mark} |")
        out.append("")
    return "\n".join(out)


def worse(rows, old):
    before, found = {row["what"]: row for row in old}, 0
    for row in rows:
        was = before.get(row["what"])
        if not was or not was["figure"]:
            continue
        more_is_better = row["unit"].endswith("/s")
        ratio = row["figure"] / was["figure"]
        if (ratio < 0.8) if more_is_better else (ratio > 1.25):
            found += 1
            print(f"{row['what']}: {was['figure']:,.4g} -> {row['figure']:,.4g} {row['unit']}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result")
    parser.add_argument("--against", metavar="OLD")
    chosen = parser.parse_args()
    rows = json.loads(pathlib.Path(chosen.result).read_text())
    if chosen.against:
        return 1 if worse(rows, json.loads(pathlib.Path(chosen.against).read_text())) else 0
    (ROOT / "docs/benchmarks.md").write_text(page(rows, {row["what"]: row["figure"] for row in rows}))
    (ROOT / "docs/benchmarks.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
