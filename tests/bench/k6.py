#!/usr/bin/env python3
"""The shop mix by k6 (shop_mix.js), whose thresholds must hold: k6.py [--seconds 10] [--rate 100] [--p95 50]

Against a shop in one process with the demo catalogue, or the distributed one that SHOP_STACK names. In a benchmark: longer, on both.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
from measure import COMPONENTS, Void, shop

SCRIPT = pathlib.Path(__file__).with_name("shop_mix.js")
ROUTES = ["list", "detail", "currencies", "add", "cart", "order"]


def run(url, seconds, rate, p95):
    """k6's metrics, and the thresholds that do not hold."""
    installed = subprocess.run([COMPONENTS / "install", "k6"], capture_output=True, text=True, timeout=3600)
    if installed.returncode:
        raise Void(f"k6 is missing: {installed.stderr.strip()}")
    program = installed.stdout.split("path=")[1].split()[0]
    settings = {"URL": url, "SECONDS": f"{seconds:g}", "RATE": f"{rate:g}", "P95": f"{p95:g}"}
    command = [program, "run", "--quiet", "--no-usage-report", "--address", "", *(part for pair in settings.items() for part in ("-e", "=".join(pair))), SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, env={**os.environ, "GOMAXPROCS": "1"})
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"metrics"')]
    if not lines:
        raise Void(f"k6 ended with {done.returncode}: {done.stderr.strip()[-800:]}")
    metrics = json.loads(lines[-1])["metrics"]
    broken = [f"{name}: {rule} ({json.dumps(metric['values'])})" for name, metric in metrics.items() for rule, held in metric.get("thresholds", {}).items() if not held["ok"]]
    if done.returncode and not broken:
        broken.append(f"k6 ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return metrics, broken


def p95_of(metrics, route):
    return metrics.get(f"http_req_duration{{name:{route}}}", {}).get("values", {}).get("p(95)", 0)


def bench(suite):
    """The shop mix by k6, its thresholds held, in both modes"""
    seconds = 10 if suite.quick else 25
    with suite.large() as one:
        measured(suite, "one process", one, seconds, rate=200, p95=20)
    measured(suite, "distributed", suite.distributed(), seconds, rate=60, p95=100)


def measured(suite, mode, running, seconds, rate, p95):
    metrics, broken = run(running.url, seconds, rate, p95)
    suite.add("k6", f"shop mix, {mode}: requests at {rate} visits/s", metrics["http_reqs"]["values"]["rate"], "req/s")
    suite.add("k6", f"shop mix, {mode}: answers that failed or were not as expected", metrics["checks"]["values"]["fails"] + metrics["http_req_failed"]["values"]["passes"],
              "answers", at_most=0)
    suite.add("k6", f"shop mix, {mode}: p95 of all requests", metrics["http_req_duration"]["values"]["p(95)"], "ms", at_most=p95)
    suite.add("k6", f"shop mix, {mode}: thresholds that do not hold", len(broken), "thresholds", at_most=0)
    for fault in broken:
        print(f"  {fault}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--p95", type=float, default=100, help="limit in milliseconds: wide, the machine may be busy")
    options = parser.parse_args()
    with shop.opened() as running:
        metrics, broken = run(running.url, options.seconds, options.rate, options.p95)
    print(f"k6: {metrics['http_reqs']['values']['count']} requests, checks {metrics['checks']['values']['passes']} passed and {metrics['checks']['values']['fails']} failed;"
          f" p95 {', '.join(f'{route} {p95_of(metrics, route):.1f} ms' for route in ROUTES)}")
    for fault in broken:
        print(f"  {fault}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
