#!/usr/bin/env python3
"""Writes docs/benchmarks.md, its charts and docs/benchmarks.json from what bench.py --json wrote: report.py RESULT.json

The page says what became better or worse since the result that is committed. --against OLD.json prints that alone: what is worse by more
than a quarter, and what was reached and no longer is; exit code 1 when anything is.
"""
import argparse
import json
import math
import pathlib
import subprocess

from charts import bars, lines

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTES = pathlib.Path(__file__).with_name("notes.md")
INSTRUCTIONS = pathlib.Path(__file__).with_name("instructions.json")
SECTIONS = [("2", "Footprint"), ("4", "Hot stock"), ("5", "Checkout"), ("8", "Gateway"), ("9", "Catalogue"), ("10", "Search"), ("11", "One process pays"), ("12", "Login"),
            ("k6", "Shop mix by k6"), ("growth", "Growth"), ("-", "Also seen")]
ALSO = {"1": ("two modes, one behaviour", "make test"), "3": ("integrity under kill", "make chaos"), "6": ("wire faults", "make faults"),
        "7": ("hostile input", "make test-security"), "13": ("discovery", "make chaos")}
# Measured earlier on such a machine, not in this run: microseconds of CPU a request, over all processes of theirs that serve it.
EARLIER_US = {"list of 20": 8400, "detail": 3700, "search": 11500, "cart read": 1200, "cart add": 1200, "login": 50_000, "order of one line": 24_000}
WORSE = 1.25


def number(value):
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}" if abs(value) < 1000 else f"{value:,.0f}"


def mark(row):
    return {True: "reached", False: "**not reached**", None: ""}[row["reached"]]


def headline(rows):
    out = ["| goal | what | ours | beside | theirs | figure | aim | | command |", "| ---: | --- | ---: | --- | ---: | ---: | --- | --- | --- |"]
    for row in sorted((r for r in rows if r["reached"] is not None), key=lambda r: (str(r["goal"]).isalpha(), int(r["goal"]) if str(r["goal"]).isdigit() else 99)):
        ours = f"{number(row['ours'])} {row['of']}" if "peer" in row else ""
        theirs = f"{number(row['peer'])} {row['of']}" if "peer" in row else ""
        out.append(f"| {row['goal']} | {row['what']} | {ours} | {row.get('peer_name', '')} | {theirs} | **{number(row['figure'])}** {row['unit']} | {row['aim']} | {mark(row)} | "
                   f"`make bench-{row['bench']}` |")
    return out


def details(rows):
    out = ["| what | figure | aim | |", "| --- | ---: | --- | --- |"]
    for row in rows:
        beside = f"<br>{number(row['ours'])} beside {number(row['peer'])} {row['of']} of {row['peer_name']}; {row['pairs']} pairs, {row['low']:.2f} to {row['high']:.2f}" if "peer" in row else ""
        out.append(f"| {row['what']}{beside} | {number(row['figure'])} {row['unit']} | {row['aim']} | {mark(row)} |")
    return out


def charts_of(rows):
    """(section, file, title, svg)"""
    by_what = {row["what"]: row for row in rows}

    def figures(*names):
        return [(name.removeprefix("CPU: "), by_what[name]["figure"]) for name in names if name in by_what]

    out = []
    cpu = figures("CPU: HAProxy, no log", "CPU: HAProxy", "CPU: nginx", "CPU: api-gateway, no log", "CPU: api-gateway")
    if len(cpu) == 5:
        out.append(("8", "gateway", "CPU of a proxied request, microseconds", bars(cpu, own=("api-gateway",))))
    beside = [(mode, by_what[what]) for mode, what in (("one process, SQLite", "one process: checkouts of 2 lines, 16 clients (floor)"),
                                                       ("distributed, PostgreSQL", "distributed: checkouts of 2 lines, 16 clients (floor)")) if what in by_what]
    if beside:
        values = [(mode, row["ours"]) for mode, row in beside] + [("pgbench, six round trips", beside[0][1]["peer"])]
        single = by_what.get("one process: beside one statement an order")
        values += [("pgbench, one statement", single["peer"])] if single else []
        out.append(("5", "checkout", "Checkouts a second, 16 clients, full durability", bars(values, own=("one process", "distributed"))))
    modes = [(what, by_what.get(f"{what}: CPU, one process / distributed")) for what in EARLIER_US]
    if all(row for _, row in modes):
        values = [(f"{what}, {who}", value) for what, row in modes for who, value in (("one process", row["ours"]), ("distributed", row["peer"]), ("earlier, Node", EARLIER_US[what]))]
        out.append(("11", "modes", "CPU of a request, every process and store, microseconds (logarithmic)", bars(values, own=("one process",), holds=True, logarithmic=True)))
    growth = {}
    for row in rows:
        if row["goal"] == "growth" and row.get("of", "").startswith("CPU of a"):
            growth.setdefault(row["of"].removeprefix("CPU of "), []).append((row["size"], row["figure"]))
    if growth and max(map(len, growth.values())) > 1:
        out.append(("growth", "growth", "CPU of a request by products, microseconds", lines(growth)))
    memory = {}
    for row in rows:
        if row["goal"] == "growth" and row.get("of", "") in ("resident memory after the start", "resident memory after the load", "data on disk"):
            memory.setdefault(row["of"], []).append((row["size"], row["figure"]))
    if memory and max(map(len, memory.values())) > 1:
        out.append(("growth", "memory", "Memory and disk by products, MB", lines(memory)))
    return out


def changes(rows, old):
    """What became better or worse by more than a quarter, as sentences; and how many of them are worse."""
    before, better, worse = {row["what"]: row for row in old}, [], []
    for row in rows:
        was = before.get(row["what"])
        if not was or row.get("void"):
            continue
        if was.get("reached") and row["reached"] is False:
            worse.append(f"{row['what']}: no longer reached ({number(was['figure'])} → {number(row['figure'])} {row['unit']})")
        elif was["figure"] and row["figure"]:
            ratio = row["figure"] / was["figure"]
            if row["unit"].endswith("/s") or row["aim"].startswith(">="):
                ratio = 1 / ratio
            sentence = f"{row['what']}: {number(was['figure'])} → {number(row['figure'])} {row['unit']}"
            if ratio > WORSE:
                worse.append(sentence)
            elif ratio < 1 / WORSE:
                better.append(sentence)
    return better, worse


def committed():
    done = subprocess.run(["git", "-C", str(ROOT), "show", "HEAD:docs/benchmarks.json"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def instructions():
    if not INSTRUCTIONS.exists():
        return []
    kept = json.loads(INSTRUCTIONS.read_text())
    out = ["## Instructions a request", "",
           "Counted by callgrind, which a busy machine does not disturb: `make bench-compare` counts again and names what is over 5 % above these.", "",
           "| program | request | instructions |", "| --- | --- | ---: |"]
    return out + [f"| {row['program']} | {row['what']} | {row['instructions']:,} |" for row in kept["rows"]] + [""]


def page(result, old, folder):
    made, rows = result["made"], result["rows"]
    reached = sum(row["reached"] is True for row in rows)
    out = ["# Benchmarks", "",
           f"Made by `make bench` on {made['date']} at {made['commit']}: {made['cores']} cores ({made['processor']}), {made['memory_gb']} GB, Linux {made['kernel']}, in one run of "
           f"{sum(made['took_s'].values()) // 60} minutes.", ""]
    if made["quick"]:
        out += ["**A quick run, on a machine that had other work: to see that it works, not to quote.**", ""]
    out += [f"- **Pairs.** Ours and the peer in turn, A B A B, {made['runs']} pairs of {made['seconds']:g} s after a warm-up; a ratio is the median of the pairs' ratios, and its range is given.",
            "- **CPU** is that of every process that serves a request, stores and background work until it is quiet again, divided by the requests.",
            "- **Latency** is measured in an open loop: requests are due at a constant rate, half or 80 % of the most, and time counts from when they were due.",
            "- **One unexpected answer voids a run.** Access logs are on in all of ours. Durable settings stay on: SQLite `synchronous=FULL`, PostgreSQL `fsync=on`, Kafka `acks=all`.",
            f"- **Data**: {made['products']:,} products with 4 variants each in 1 000 categories, made from a seed (`tests/bench/generate.py`), asked for with Zipf 0.99.",
            "- Load generator, peers and shop share the cores: quote ratios, not absolutes.",
            f"- Peers: {', '.join(filter(None, made['versions'].values()))}; their settings are in [tests/bench/peers](../tests/bench/peers) and [tests/bench/pgbench](../tests/bench/pgbench).", "",
            f"## Goals: {reached} of {sum(row['reached'] is not None for row in rows)} figures reached", "", *headline(rows), ""]
    out += ["What has no figure but a verdict: " + "; ".join(f"{what} ({goal}): `{command}`" for goal, (what, command) in ALSO.items()) + ".", ""]
    if NOTES.exists():
        out += [NOTES.read_text().strip(), ""]
    charts = charts_of(rows)
    for goal, title in SECTIONS:
        own = [row for row in rows if str(row["goal"]) == goal]
        if not own:
            continue
        out += [f"## {title}" + (f" (goal {goal})" if goal.isdigit() else ""), ""]
        for _, name, caption, svg in (chart for chart in charts if chart[0] == goal):
            (folder / f"benchmarks-{name}.svg").write_text(svg)
            out += [f"**{caption}**", "", f"![{caption}](benchmarks-{name}.svg)", ""]
        out += [*details(own), ""]
    voids = [row for row in rows if row.get("void")]
    if voids:
        out += ["## Void", "", *(f"- {row['bench']}: {row['what']}" for row in voids), ""]
    out += instructions()
    if old:
        better, worse = changes(rows, old["rows"])
        out += [f"## Since {old['made']['date']} ({old['made']['commit']})", "", *(f"- worse: {line}" for line in worse), *(f"- better: {line}" for line in better)]
        out += ["" if better or worse else "Nothing changed by more than a quarter.\n"]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result")
    parser.add_argument("--against", metavar="OLD")
    parser.add_argument("--into", type=pathlib.Path, default=DOCS, metavar="FOLDER", help="instead of docs/")
    chosen = parser.parse_args()
    result = json.loads(pathlib.Path(chosen.result).read_text())
    if chosen.against:
        _, worse = changes(result["rows"], json.loads(pathlib.Path(chosen.against).read_text())["rows"])
        print("\n".join(worse) or "Nothing is worse by more than a quarter.")
        return 1 if worse else 0
    (chosen.into / "benchmarks.md").write_text(page(result, committed(), chosen.into))
    (chosen.into / "benchmarks.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{chosen.into / 'benchmarks.md'} is written.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
