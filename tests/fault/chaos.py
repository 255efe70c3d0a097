#!/usr/bin/env python3
"""kill -9 under load: the shop in one process, or, with SHOP_MODE=distributed, every service and every store of a distributed one in turn. Afterwards
everything acknowledged is there, once, and nothing was oversold.

usage: chaos.py [--checkouts 10000] [--every 2] [--seconds 75] [--seed N] [--only NAME,NAME]
"""
import argparse
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from crowd import Crowd, Plan  # noqa: E402
from judge import catalogue, customers, failed, judge, stock_of  # noqa: E402
from shops import mode  # noqa: E402

PROCESSES, THREADS = 2, 8
SLOW = {"kafka", "elasticsearch", "postgres", "redis", "consul"}  # takes its time to get up


def strike(shop, plan, crowd, options, rng):
    """Kills and revives until the crowd is done; {name: kills}, seconds that each revival took."""
    shortest, longest = (map(float, options.every.split("-")) if "-" in options.every else [float(options.every)] * 2)
    victims = [victim for victim in shop.victims() if not options.only or victim[0] in options.only.split(",")]
    kills, reviving, begun, turn, getting_up = {}, [], time.monotonic(), 0, {}

    def revived(revive):
        down = time.monotonic()
        revive()
        reviving.append(time.monotonic() - down)

    while not crowd.done() and time.monotonic() - begun < options.limit:
        time.sleep(rng.uniform(shortest, longest))
        if crowd.done():
            break
        fault = shop.ended_by_itself()
        assert not fault, fault
        if turn % len(victims) == 0:
            rng.shuffle(victims)
        name, kill, revive = victims[turn % len(victims)]
        turn += 1
        if name in getting_up and getting_up[name].is_alive():
            continue
        kill()
        kills[name] = kills.get(name, 0) + 1
        if len(victims) == 1 and turn % 4 == 0:  # and once more while it is getting up
            shop.half_start(lambda: time.sleep(rng.uniform(0.005, 0.15)))
        if name in SLOW:  # the others are killed meanwhile
            getting_up[name] = threading.Thread(target=revived, args=(revive,), daemon=True)
            getting_up[name].start()
        else:
            revived(revive)
    for thread in getting_up.values():
        thread.join(330)
    return kills, reviving


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("--checkouts", type=int, default=10_000)
    options.add_argument("--every", default="2", help="seconds between two kills, or from-to")
    options.add_argument("--seconds", type=float, default=75, help="how long the crowd takes at least")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--limit", type=float, default=900, help="seconds that the crowd may take")
    options.add_argument("--only", default="", help="names of victims; default: all")
    options.add_argument("--kills", type=int, default=5, help="fewer show nothing")
    options = options.parse_args(arguments)
    rng = random.Random(options.seed)
    print(f"seed {options.seed}")
    with mode() as shop:
        client = shop.admin()
        tag = f"chaos-{options.seed}"
        made = catalogue(client, products=10, variants=4, stock=options.checkouts // 20, tag=tag)
        users = customers(client, 10, tag)
        initial = stock_of(client, made)
        pace = 0.65 * options.seconds * PROCESSES * THREADS / options.checkouts
        plan = Plan(shop.host, shop.port, list(made), made, client.token, users, options.checkouts, options.seed, PROCESSES, THREADS,
                    carts=shop.carts_survive, pace_s=pace)
        begun = time.monotonic()
        crowd = Crowd(plan).start()
        kills, reviving = strike(shop, plan, crowd, options, rng)
        record = crowd.record(max(1.0, options.limit - (time.monotonic() - begun)))
        took = time.monotonic() - begun
        client.close()
        shop.whole()
        verdict = judge(client, record, initial, shop.doctor, shop.host, shop.port, tokens=users)
        total = sum(kills.values())
        print(f"{verdict.line()} acknowledged={verdict.acknowledged} kills={total} seconds={took:.0f} revive_ms={sum(reviving) / max(1, total) * 1000:.0f}"
              f" attempts={record.attempts} mode={shop.mode}")
        print(f"  statuses={dict(sorted(record.statuses.items(), key=str))} killed={kills}")
        bad = failed(verdict)
        if total < options.kills:
            print(f"  only {total} kills: nothing was shown")
            bad = True
        bad |= not shop.ends_well()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
