#!/usr/bin/env python3
"""The whole program under AddressSanitizer and UndefinedBehaviorSanitizer: tests/sanitize/run.py   (make sanitized builds it)

Unit tests, scenarios and attacks run against the instrumented programs; a shop that is stopped in order must end with 0 and leave no
leak. Whatever a sanitizer finds ends the program, and with it the run.
"""
import os
import pathlib
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "sanitize" / "bin"
LIMIT_S = 600

os.environ["SHOP_BIN"] = str(BIN)
os.environ["SHOP_SANITIZED"] = "1"
os.environ["ASAN_OPTIONS"] = "abort_on_error=1:detect_stack_use_after_return=0:allocator_may_return_null=1"
os.environ["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from shop import OneProcess  # noqa: E402


def run(name, *command):
    start = time.monotonic()
    try:
        done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        code, output = 1, f"not done after {LIMIT_S} s: {late.output}"
    print(f"--- {name}: {'ok' if code == 0 else 'FAILED'} after {time.monotonic() - start:.0f} s", flush=True)
    if code:
        print(output[-6000:])
    return code


def stop_in_order():
    """A life from start to SIGTERM, with a request of every kind and connections that only sit there; leaks are found at the end."""
    with OneProcess(demo=True) as shop:
        client = shop.admin()
        for path in ("/products?limit=100", "/products/categories?format=tree", "/search/products?q=lamp", "/auth/users", "/orders", "/openapi.json", "/docs", "/metrics", "/nowhere"):
            answer = client.get(path)
            assert answer.status in (200, 404), f"{path}: {answer}"
        idle = [socket.create_connection(("127.0.0.1", shop.port)) for _ in range(8)]
        code = shop.stop(60)
        for connection in idle:
            connection.close()
        text = shop.log_path.read_text(errors="replace")
        if code or "Sanitizer" in text or "runtime error" in text:
            print(text[-6000:])
            return 1
    print("--- a stop in order: ok")
    return 0


def main():
    for name in ("shop", "shopctl", "api-gateway", "unit-tests"):
        if not (BIN / name).exists():
            sys.exit(f"{BIN / name} is missing: run make sanitized first.")
    works = [lambda: run("tokens", sys.executable, "tests/security/tokens.py"),
             lambda: run("unit tests", BIN / "unit-tests", "--gtest_brief=1"),
             stop_in_order,
             lambda: run("scenarios", "tests/scenario/run.py")]
    works += [lambda name=name, more=more: run(name, sys.executable, f"tests/security/{name}.py", *more)
              for name, *more in (("heads",), ("proxy",), ("mutants", 3000), ("matrix",))]
    with ThreadPoolExecutor(2) as pool:
        return 1 if any(list(pool.map(lambda work: work(), works))) else 0


if __name__ == "__main__":
    sys.exit(main())
