#!/usr/bin/env python3
"""All attacks: tests/security/run.py [FILE...]   Two at a time where they only wait; each prints its own summary."""
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ALONE = ["timing"]  # measures time: nothing beside it
TOGETHER = ["accounts", "slow", "tokens", "mutants", "matrix", "heads", "proxy", "seen", "mtls"]
LIMIT_S = 400


def run(name):
    start = time.monotonic()
    try:
        done = subprocess.run([sys.executable, HERE / f"{name}.py"], capture_output=True, text=True, timeout=LIMIT_S)
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        code, output = 1, f"{name}: not done after {LIMIT_S} s\n{(late.stdout or b'').decode(errors='replace')}"
    print(output.rstrip(), flush=True)
    print(f"--- {name}: {'ok' if code == 0 else 'FAILED'} after {time.monotonic() - start:.0f} s", flush=True)
    return code


def main():
    wanted = sys.argv[1:] or TOGETHER + ALONE
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(run, [name for name in wanted if name not in ALONE]))
    codes += [run(name) for name in wanted if name in ALONE]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
