#!/usr/bin/env python3
"""Kills the shop in one process with -9 at random moments under load; afterwards everything acknowledged is there, once.

usage: kill.py [--checkouts 3000] [--every 0.3-1.5] [--seed N]
"""
import argparse
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from crowd import Crowd, Plan  # noqa: E402
from judge import catalogue, customers, failed, judge, stock_of  # noqa: E402
from shops import Alone  # noqa: E402


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--checkouts", type=int, default=3000)
    options.add_argument("--every", default="0.3-1.5", help="seconds between two kills, from-to")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--limit", type=float, default=300, help="seconds that the crowd may take")
    options = options.parse_args()
    shortest, longest = map(float, options.every.split("-"))
    rng = random.Random(options.seed)
    print(f"seed {options.seed}")

    with Alone() as shop:
        client = shop.admin()
        made = catalogue(client, products=10, variants=4, stock=options.checkouts // 20)
        users = customers(client, 10)
        initial = stock_of(client, made)
        plan = Plan(shop.host, shop.port, list(made), made, client.token, users, options.checkouts, options.seed, pace_s=0.07,
                    carts=client.get("/carts/health").status == 200)
        crowd, kills, downtime, begun = Crowd(plan).start(), 0, 0.0, time.monotonic()
        while not crowd.done() and time.monotonic() - begun < options.limit:
            time.sleep(rng.uniform(shortest, longest))
            if crowd.done():
                break
            assert shop.process.poll() is None, f"The shop ended by itself:\n{shop.tail()}"
            down = time.monotonic()
            shop.kill()
            kills += 1
            if kills % 4 == 0:  # and once more while it is getting up
                shop.half_start(lambda: time.sleep(rng.uniform(0.005, 0.15)))
            shop.start()
            downtime += time.monotonic() - down
        record = crowd.record(max(1.0, options.limit - (time.monotonic() - begun)))
        took = time.monotonic() - begun
        client.close()
        verdict = judge(client, record, initial, shop.doctor, shop.host, shop.port, tokens=users)
        print(f"{verdict.line()} kills={kills} seconds={took:.0f} restart_ms={downtime / max(1, kills) * 1000:.0f}"
              f" attempts={record.attempts} statuses={dict(sorted(record.statuses.items(), key=str))}")
        bad = failed(verdict)
        if kills < 5:
            print(f"  only {kills} kills: nothing was shown")
            bad = True
        if shop.stop() != 0:
            print("  the shop did not end with 0 at SIGTERM")
            bad = True
        done = shop.shopctl("doctor")  # the same on the folder of a stopped shop
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
