#!/usr/bin/env python3
"""Whether the time of a login tells which accounts exist: tests/security/timing.py   Runs alone: it measures."""
import json
import secrets
import statistics
import sys
import time

from wire import Checks, administrator, expect
from shop import opened


def timing(shop):
    """A known and an unknown e-mail cannot be told apart: same answer, medians within 1 ms of work"""
    known = f"u{secrets.token_hex(6)}@shop.test"
    expect(shop.client().post("/auth/register", {"name": "Some Body", "email": known, "password": "a-good-password"}).status == 201, "no account")
    client = shop.client()
    took, bodies = {"known": [], "unknown": []}, {"known": set(), "unknown": set()}
    for number in range(40):  # alternating, so that both see the same machine; fewer than the throttle allows
        for kind in (("known", "unknown") if number % 2 else ("unknown", "known")):
            email = known if kind == "known" else f"{secrets.token_hex(6)}@shop.test"
            start = time.perf_counter()
            found = client.post("/auth/login", {"email": email, "password": "wrong-password"})
            took[kind].append(time.perf_counter() - start)
            body = found.json()
            body.pop("requestId", None)
            bodies[kind].add((found.status, json.dumps(body)))
    expect(bodies["known"] == bodies["unknown"] and len(bodies["known"]) == 1, f"{bodies}")
    expect(bodies["known"].pop()[0] == 401, "not 401")
    # The fastest answers are those that nobody disturbed: on a busy machine they tell more than the median.
    quick = {kind: statistics.median(sorted(values)[:15]) for kind, values in took.items()}
    median = {kind: statistics.median(values) for kind, values in took.items()}
    apart = min(abs(quick["known"] - quick["unknown"]), abs(median["known"] - median["unknown"]))
    print(f"  known {median['known'] * 1000:.2f} ms, unknown {median['unknown'] * 1000:.2f} ms; undisturbed {quick['known'] * 1000:.2f} and {quick['unknown'] * 1000:.2f} ms")
    expect(apart < 0.001 or apart < 0.03 * median["unknown"], f"{apart * 1000:.2f} ms apart: {quick}, {median}")
    expect(min(median.values()) > 0.005, "no password was hashed")


def main():
    checks = Checks("timing")
    with opened(demo=False) as shop:
        administrator(shop)
        checks.run(timing, shop)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
