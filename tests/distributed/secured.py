#!/usr/bin/env python3
"""The whole shop over mutual TLS: tests/distributed/secured.py, with the services of the stack that SHOP_STACK names, or of one of its own.

Every service ends and starts again with a certificate; the components go on. All scenarios hold while the certificates are renewed every few
seconds, nobody hears a plain word, and what the services know of each other is not the shared credential. Afterwards the stack is as it was.
"""
import concurrent.futures
import http.client
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
import stack as stacks  # noqa: E402

RENEW_S = 1
LIMIT_S = 300


def plain(port):
    """What a port says to HTTP without TLS."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def only_tls(shop):
    for name, entry in shop.stack.services.items():
        if entry["service"] == "api-gateway":
            assert plain(entry["port"]) == 200, f"{name} is not there"
            continue
        assert plain(entry["port"]) == 0, f"{name} answers who shows no certificate"
        assert plain(entry["health_port"]) == 200, f"{name} says nothing of its health"
        given = pathlib.Path(f"/proc/{entry['pid']}/environ").read_bytes()
        assert b"INTERNAL_TOKEN" not in given and b"TLS_CERT_FILE" in given, f"{name} was given the shared credential"


def serial_of(shop, service):
    folder = shop.stack.folder / "tls"
    done = subprocess.run(["openssl", "x509", "-in", folder / f"{service}.pem", "-noout", "-serial"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def scenarios_while_certificates_change(shop):
    over, renewed, trouble = threading.Event(), [], []

    def renew():
        while not over.wait(RENEW_S):
            try:
                shop.stack.make_certificates()
                renewed.append(serial_of(shop, "product-service"))
            except Exception as error:
                trouble.append(error)
                return

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        done = subprocess.run([sys.executable, HERE.parent / "scenario" / "run.py"], capture_output=True, text=True, timeout=LIMIT_S,
                              env={**os.environ, "SHOP_STACK": str(shop.stack.folder)})
    finally:
        over.set()
        thread.join(30)
    assert not trouble, trouble
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert len(set(renewed)) == len(renewed) >= 2, f"{len(renewed)} renewals while the scenarios ran"
    return f"{done.stdout.strip().splitlines()[-1]}; certificates renewed {len(renewed)} times"


def an_operator(shop):
    """shopctl is known by its certificate, and nobody by a header."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:  # three at once: of two instances, one at a time, and each is told of its own
        for done in pool.map(lambda _: shop.shopctl("reindex"), range(3)):
            assert done.returncode == 0 and "Index rebuilt" in done.stdout, done
    answer = shop.internal("product-service", "GET", "/internal/product-documents?limit=1")
    assert answer.status == 200, answer
    token = {"X-Internal-Token": shop.stack.internal_token, "X-Internal-Service": "shopctl"}
    outside = shop.client().get("/products/internal/product-documents?limit=1", headers=token)
    assert outside.status == 404, outside


def main():
    with stacks.given_or_started() as shop:
        was_secured = shop.stack.mtls
        begun = time.monotonic()
        try:
            shop.stack.begin_anew(mtls=True)
            print(f"  every service has a certificate after {time.monotonic() - begun:.1f} s", flush=True)
            lib.eventually(lambda: shop.client().post("/auth/login", {"email": lib.ADMIN[0], "password": lib.ADMIN[1]}).status == 200, 20)
            failed = stacks.run_tests(shop, (only_tls, scenarios_while_certificates_change, an_operator))
        finally:
            if shop.stack.mtls != was_secured and os.environ.get("SHOP_STACK"):
                shop.stack.begin_anew(mtls=was_secured)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
