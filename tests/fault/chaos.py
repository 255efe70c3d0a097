#!/usr/bin/env python3
"""kill -9 under load: the shop in one process, or, with SHOP_MODE=distributed, every service and every store of a distributed one in turn. Afterwards
everything acknowledged is there, once, and nothing was oversold.

usage: chaos.py [--checkouts 10000] [--every 2] [--seconds 75] [--seed N] [--only NAME,NAME]
"""
import argparse
import collections
import dataclasses
import json
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import causes  # noqa: E402
from crowd import Crowd, Plan  # noqa: E402
from judge import catalogue, customers, failed, judge, stock_of  # noqa: E402
from shops import mode  # noqa: E402

PROCESSES, THREADS = 2, 8
BACK_LIMIT_S = 330
SLOW = {"kafka", "elasticsearch", "postgres", "redis", "consul"}  # takes its time to get up


def strike(shop, plan, crowd, options, rng):
    """Kills and revives until the crowd is done; the kills."""
    shortest, longest = (map(float, options.every.split("-")) if "-" in options.every else [float(options.every)] * 2)
    victims = [victim for victim in shop.victims() if not options.only or victim.name in options.only.split(",")]
    kills, begun, turn, getting_up, watches, failures = [], time.monotonic(), 0, {}, [], []

    def watch(victim, kill):
        """Until it is back, or killed once more."""
        end = time.monotonic() + BACK_LIMIT_S
        while time.monotonic() < end and not any(later.name == kill.name and later.at > kill.at for later in kills):
            if victim.is_back():
                kill.back = time.monotonic()
                return
            time.sleep(0.02)

    def revive(victim, kill):
        victim.revive()
        watch(victim, kill)

    def kept(act, *arguments):
        try:
            act(*arguments)
        except Exception as error:
            failures.append(error)

    def meanwhile(*act):
        thread = threading.Thread(target=kept, args=act, daemon=True)
        thread.start()
        watches.append(thread)
        return thread

    while not crowd.done() and time.monotonic() - begun < options.limit:
        time.sleep(rng.uniform(shortest, longest))
        if crowd.done():
            break
        fault = shop.ended_by_itself() or failures
        assert not fault, fault
        if turn % len(victims) == 0:
            rng.shuffle(victims)
        victim = victims[turn % len(victims)]
        turn += 1
        if victim.name in getting_up and getting_up[victim.name].is_alive():
            continue
        kill = causes.Kill(victim.name, time.monotonic())
        victim.kill()
        kills.append(kill)
        if victim.name == "shop" and turn % 4 == 0:  # and once more while it is getting up
            shop.half_start(lambda: time.sleep(rng.uniform(0.005, 0.15)))
        if victim.name in SLOW:  # the others are killed meanwhile
            getting_up[victim.name] = meanwhile(revive, victim, kill)
        else:
            victim.revive()
            meanwhile(watch, victim, kill)
    for thread in watches:
        thread.join(330)
    assert not failures, failures
    return kills


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("--checkouts", type=int, default=10_000)
    options.add_argument("--every", default="2", help="seconds between two kills, or from-to")
    options.add_argument("--seconds", type=float, default=75, help="how long the crowd takes at least")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--limit", type=float, default=900, help="seconds that the crowd may take")
    options.add_argument("--only", default="", help="names of victims; default: all")
    options.add_argument("--kills", type=int, default=5, help="fewer show nothing")
    options.add_argument("--losses", default="", help="file for every kill and every attempt that was lost, as JSON")
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
        plan = Plan(shop.host, shop.ports, list(made), made, client.token, users, options.checkouts, options.seed, PROCESSES, THREADS,
                    carts=shop.carts_survive, pace_s=pace)
        begun = time.monotonic()
        crowd = Crowd(plan).start()
        kills = strike(shop, plan, crowd, options, rng)
        record = crowd.record(max(1.0, options.limit - (time.monotonic() - begun)))
        took = time.monotonic() - begun
        client.close()
        shop.whole()
        verdict = judge(client, record, initial, shop.doctor, shop.host, shop.port, tokens=users)
        reviving = [kill.back - kill.at for kill in kills if kill.back]
        print(f"{verdict.line()} acknowledged={verdict.acknowledged} kills={len(kills)} seconds={took:.0f}"
              f" revive_ms={sum(reviving) / max(1, len(reviving)) * 1000:.0f} attempts={record.attempts} mode={shop.mode}")
        print(f"  statuses={dict(sorted(record.statuses.items(), key=str))} killed={dict(collections.Counter(kill.name for kill in kills))}")
        for line in causes.lines(causes.breakdown(record, kills, PROCESSES * THREADS)):
            print(line)
        if options.losses:
            pathlib.Path(options.losses).write_text(json.dumps({"kills": [dataclasses.asdict(kill) for kill in kills], "losses": record.losses}))
        bad = failed(verdict)
        if len(kills) < options.kills:
            print(f"  only {len(kills)} kills: nothing was shown")
            bad = True
        bad |= not shop.ends_well()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
