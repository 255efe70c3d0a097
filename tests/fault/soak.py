#!/usr/bin/env python3
"""A long, even load on everything: the shop's memory, descriptors and threads stay what they were.

usage: soak.py [--minutes 30] [--rate 400]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from judge import catalogue, wait_for_quiet  # noqa: E402
from overload import requests_of  # noqa: E402
from shop import program  # noqa: E402
from shops import Alone  # noqa: E402

GROWTH_MB = 4       # from the second quarter to the last, beside GROWTH_SHARE
GROWTH_SHARE = 0.05


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--rate", type=float, default=400)
    options = options.parse_args()
    with Alone() as shop, tempfile.TemporaryDirectory() as folder:
        client = shop.admin()
        made = catalogue(client, 50, 4, 10_000_000)
        products = sorted(set(made.values()))
        cart = client.post("/carts", {}).json()["id"]
        variant = next(iter(made))
        client.close()
        requests = requests_of("checkout", list(made)[:20], products) + requests_of("browse", [], products)
        requests += [{"method": "GET", "path": f"/search/products?q=crowd+{number}", "expect": [200]} for number in range(20)]
        requests += [{"method": "POST", "path": f"/carts/{cart}/items", "expect": [200, 400],  # 400: the line is full
                      "body": json.dumps({"productId": made[variant], "variantId": variant, "quantity": 1, "price": 1})},
                     {"method": "GET", "path": f"/carts/{cart}", "expect": [200]}, {"method": "GET", "path": "/nothing/{n}", "expect": [404]},
                     {"method": "POST", "path": "/orders", "body": "{\"no\":", "expect": [400]}, {"method": "GET", "path": "/metrics", "expect": [200]}]
        file = pathlib.Path(folder) / "requests"
        file.write_text("\n".join(map(json.dumps, requests)))
        load = subprocess.Popen([program("load"), "--connect", f"{shop.host}:{shop.port}", "--requests", str(file), "--connections", "64", "--seconds",
                                 str(options.minutes * 60), "--rate", str(options.rate)], stdout=subprocess.PIPE, text=True)
        try:
            memory, files, threads = [], [], []
            while load.poll() is None:
                memory.append(shop.resident_mb())
                files.append(len(os.listdir(f"/proc/{shop.process.pid}/fd")))
                threads.append(len(os.listdir(f"/proc/{shop.process.pid}/task")))
                time.sleep(min(1.0, options.minutes * 60 / 200))
            result = json.loads(load.communicate(timeout=30)[0])
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()
        quarter = len(memory) // 4
        early, late = statistics.median(memory[quarter:2 * quarter]), statistics.median(memory[-quarter:])
        quiet, report = wait_for_quiet(shop.doctor)
        print(f"minutes={options.minutes:g} requests={result['requests']} per_second={result['per_second']} unexpected={result['unexpected']}"
              f" p99_ms={result['p99_us'] / 1000:.1f} memory_mb={early:.1f}->{late:.1f} most_mb={max(memory):.1f} files={files[quarter]}->{files[-1]}"
              f" threads={threads[0]}->{threads[-1]} quiet_s={quiet:.0f}")
        faults = []
        if result["unexpected"]:
            faults.append(f"{result['unexpected']} unexpected answers, first {result['first_unexpected']}, {result['statuses']}")
        if late > early * (1 + GROWTH_SHARE) + GROWTH_MB:
            faults.append(f"memory grew from {early:.1f} to {late:.1f} MB")
        if max(files[-quarter:]) > max(files[quarter:2 * quarter]) + 5 or max(threads[-quarter:]) > max(threads[quarter:2 * quarter]):
            faults.append("descriptors or threads grew")
        if report["findings"] or report["waiting"]:
            faults.append(f"doctor: {report['findings'][:3]} {report['waiting']}")
        for fault in faults:
            print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
