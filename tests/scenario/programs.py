#!/usr/bin/env python3
"""The programs as an operator meets them: tests/scenario/programs.py (contract 17).

Help, version, unknown options; a shop that opens, stops at SIGTERM and SIGINT, is opened again and finds everything; administrators made
before the first start and while the shop is open. What is said of unusable folders and ports: tests/fault/folder.py.
"""
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402

SERVICES = ["api-gateway", "auth-service", "product-service", "image-service", "cart-service", "search-service", "order-service"]


def run(name, *arguments, limit_s=30):
    return subprocess.run([lib.program(name), *map(str, arguments)], capture_output=True, text=True, timeout=limit_s)


def complains(ended, name, word):
    said = ended.stderr.strip().splitlines()
    assert ended.returncode == 1 and said and word in said[0], f"{name}: exit code {ended.returncode}, said {ended.stderr!r}"


def described():
    for name in ["shop", "shopctl", *SERVICES]:
        helped = run(name, "--help")
        assert helped.returncode == 0 and "--help" in helped.stdout, f"{name} --help: {helped}"
        version = run(name, "--version")
        assert version.returncode == 0 and re.fullmatch(rf"{name} \d+\.\d+\.\d+\S*\n", version.stdout), f"{name} --version: {version}"
        unknown = run(name, *(["migrate"] if name == "shopctl" else []), "--no-such-option")
        assert unknown.returncode == 2 and "--no-such-option" in unknown.stderr, f"{name} --no-such-option: {unknown}"
    helped = run("shop", "--help").stdout
    for option in ("--port", "--data", "--demo", "--bind"):
        assert option in helped, f"shop --help does not know {option}"
    helped = run("shopctl", "--help").stdout
    for command in ("create-admin", "import", "reindex", "migrate"):
        assert command in helped, f"shopctl --help does not know {command}"
        assert run("shopctl", command, "--help").returncode == 0, command
    assert run("shopctl").returncode == 2, "shopctl without a command"
    assert run("shopctl", "no-such-command").returncode == 2, "shopctl with an unknown command"
    for value in ("many", "70000", "-1"):
        assert run("shop", "--port", value).returncode == 2, f"shop --port {value}"


def opened_and_stopped():
    for sent in (signal.SIGTERM, signal.SIGINT) * 5:
        with lib.OneProcess(demo=False) as shop:
            lib.eventually(lambda: f"shopctl --data {shop.data} create-admin EMAIL PASSWORD" in shop.tail(100))
            assert f"http://localhost:{shop.port}" in shop.tail(100), f"a shop says: {shop.tail(100)}"
            idle = socket.create_connection(("127.0.0.1", shop.port))  # one that only sits there holds nobody up, nor does one that comes at the end
            shop.process.send_signal(sent)
            assert shop.process.wait(15) == 0, f"{sent.name}: exit code {shop.process.returncode}\n{shop.tail()}"
            idle.close()
            client = shop.client()
            try:
                client.get("/health")
                raise AssertionError("the shop still answers after its end")
            except OSError:
                pass


def administrators():
    with lib.OneProcess(demo=False) as shop:
        shop.stop()
        before = shop.shopctl("create-admin", "before@example.org", "password", "--name", "Before")
        assert before.returncode == 0 and "before@example.org" in before.stdout, before
        shop.start()
        assert shop.client().get("/health").status == 200
        assert shop.tail(100).count("It is empty") <= 1, "a shop with an administrator asks for one"
        while_open = shop.shopctl("create-admin", "while@example.org", "password")
        assert while_open.returncode == 0, while_open
        for email in ("before@example.org", "while@example.org"):
            me = shop.client().log_in(email, "password").get("/auth/me").json()
            assert me["role"] == {"name": "ADMIN"}, me
        for arguments, word in ((("WHILE@example.org", "password"), "exists"), (("no-address", "password"), "email"), (("x@example.org", "short"), "password"),
                                (("x@example.org", "x" * 73), "password")):
            complains(shop.shopctl("create-admin", *arguments), f"create-admin {arguments[0]}", word)
        assert shop.shopctl("create-admin", "x@example.org").returncode == 2
        for command in ("reindex", "migrate"):
            done = shop.shopctl(command)
            assert done.returncode == 0 and done.stdout.strip(), done


def found_again():
    with lib.OneProcess(demo=True) as shop:
        client, admin = shop.client(), shop.admin()
        product = admin.get("/products?limit=1").json()["data"][0]
        variant = product["variants"][0]["id"]
        cart = client.post("/carts").json()["id"]
        line = {"productId": product["id"], "variantId": variant, "quantity": 2, "price": 1}
        assert client.post(f"/carts/{cart}/items", line).status == 200
        order = client.post("/orders", {"guestEmail": "a@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY",
                                        "items": [{"variantId": variant, "quantity": 1}]}).json()
        token = admin.token
        total = client.get("/products").json()["pagination"]["total"]
        for end in ("stop", "kill"):
            getattr(shop, end)()
            shop.start()
            client = shop.client()
            assert client.get("/products").json()["pagination"]["total"] == total, f"after a {end} the catalogue differs: demo data came twice or went"
            assert client.get(f"/carts/{cart}").json()["items"][0]["quantity"] == 2, f"after a {end} the cart is gone"
            assert client.get(f"/orders/{order['id']}?guest_token={order['guest_token']}").status == 200, f"after a {end} the order is gone"
            assert client.get("/auth/me", token=token).status == 200, f"after a {end} everybody is logged out"
            lib.eventually(lambda: client.get("/search/products?limit=1").json()["pagination"]["total"] >= 1)


def main():
    for part in (described, opened_and_stopped, administrators, found_again):
        begun = time.monotonic()
        part()
        print(f"{part.__name__:20} {time.monotonic() - begun:.2f} s")


if __name__ == "__main__":
    main()
