#!/usr/bin/env python3
"""The fault tests on the distributed shop, short, on one stack: races, hot stock, faults on the wire, everything killed with -9 in turn."""
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import attacks  # noqa: E402
import chaos  # noqa: E402
import doctor  # noqa: E402
import faults  # noqa: E402
import hot  # noqa: E402
import shops  # noqa: E402


def main():
    bad = []

    def part(name, test, *arguments):
        begun = time.monotonic()
        if test(*arguments):
            bad.append(name)
        print(f"--- {name}: {time.monotonic() - begun:.0f} s", flush=True)

    with shops.apart(gated=True) as stack:
        shops.CURRENT = stack
        part("attacks", attacks.main, [])  # first, while nothing has a price: one of them changes the base currency
        part("hot stock", hot.main, [])
        part("wire faults", faults.matrix, stack, [(store, fault) for store in faults.GATED for fault in faults.QUICK])
        part("doctor", doctor.main)
        part("chaos", chaos.main, ["--checkouts", "500", "--every", "2", "--seconds", "35", "--kills", "8"])
    print(f"faults in: {', '.join(bad) or 'nothing'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
