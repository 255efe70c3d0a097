#!/usr/bin/env python3
"""Everything that holds in one process, and what only several processes can show, against one stack: tests/distributed/run.py [PART...]

Starts the stack (or takes the one that SHOP_STACK names), runs the parts one after another, prints a line for each.
"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path.insert(0, str(TESTS / "lib"))
import stack as stacks  # noqa: E402

PARTS = {
    "scenarios": [TESTS / "scenario" / "run.py"],
    "races": [TESTS / "scenario" / "races.py"],
    "invitations": [TESTS / "scenario" / "invitations.py"],
    "access matrix": [TESTS / "security" / "matrix.py"],
    "forged tokens": [TESTS / "security" / "tokens.py"],
    "schemathesis": [TESTS / "openapi" / "run.py", "20"],
    "replicas": [HERE / "replicas.py"],
    "attacks on replicas": [TESTS / "fault" / "attacks.py", "price-change-against-order", "hide-against-order", "leaf-against-child", "delete-product-against-additions",
                            "product-changes", "variant-changes", "category-changes", "promotion-changes", "primary-pictures", "last-variants",
                            "role-change-against-use"],
    "dead letters": [TESTS / "ops" / "dlq.py"],
    "discovery": [HERE / "discovery.py"],
    "weights": [HERE / "weights.py"],
    "deadlines": [HERE / "deadlines.py"],
    "outages": [HERE / "outages.py"],
    "mutual TLS": [HERE / "secured.py"],
}
LIMIT_S = 600
GENEROUS = {name: "1000000" for name in ("REGISTRATIONS_PER_MINUTE", "LOGINS_PER_MINUTE", "LOGIN_FAILURES_PER_MINUTE", "ORDER_LOOKUPS_PER_MINUTE",
                                         "UPLOADS_PER_MINUTE", "UPLOAD_ATTEMPTS_PER_MINUTE")}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    failed = []
    begun = time.monotonic()
    with stacks.given_or_started(**GENEROUS) as shop:
        print(f"  the stack stands after {time.monotonic() - begun:.1f} s, {shop.resident_mb():.0f} MB in {len(shop.pids())} services", flush=True)
        environment = {**os.environ, "SHOP_STACK": str(shop.stack.folder)}
        for name in wanted:
            start = time.monotonic()
            try:
                done = subprocess.run([sys.executable, *PARTS[name]], capture_output=True, text=True, timeout=LIMIT_S, env=environment)
                code, said = done.returncode, done.stdout + done.stderr
            except subprocess.TimeoutExpired as late:
                code, said = 1, f"not done after {LIMIT_S} s\n{(late.stdout or b'').decode(errors='replace')}"
            print(said.rstrip())
            print(f"--- {name}: {'ok' if code == 0 else 'FAILED'} after {time.monotonic() - start:.0f} s", flush=True)
            if code:
                failed.append(name)
        if failed:
            print(shop.tail()[:6000])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
