#!/usr/bin/env python3
"""The limits on accounts: tests/scenario/limits.py. First as they are without any configuration, then configured.

One address may register 60 accounts a minute; 120 wrong passwords on one account end in 429 with Retry-After, for that account alone,
and before its window is over nobody is let in by guessing on; looking orders up is limited too.
"""
import os
import pathlib
import subprocess
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402


def by_default():
    with lib.OneProcess(demo=False) as shop:
        client, tokens = shop.client(), []
        for i in range(60):
            answer = client.post("/auth/register", {"name": "Many", "email": f"many-{i}@example.org", "password": "password"})
            assert answer.status == 201, f"registration {i + 1} of 60 in a minute: {answer}"
            tokens.append(answer.json()["token"])

        assert shop.shopctl("create-admin", *lib.ADMIN).returncode == 0
        admin = shop.admin()
        customers = next(role for role in admin.get("/auth/roles").json() if role["name"] == "Customer")
        oldest = [client.get("/auth/me", token=token).json()["id"] for token in tokens[:5]]
        assert customers["userCount"] == 60 and [user["id"] for user in customers["users"]] == oldest, customers

        refused = None
        for i in range(1, 121):
            answer = client.post("/auth/login", {"email": "MANY-1@example.org" if i % 2 else "many-1@example.org", "password": f"guess {i}"})
            assert answer.status in (401, 429), answer
            if answer.status == 429:
                refused = answer
                break
        assert refused is not None, "120 wrong passwords on one account were all looked at"
        body = refused.json()
        assert body["code"] == "RATE_LIMITED" and body["message"] and body["status"] == 429, refused
        assert 1 <= int(refused.headers["Retry-After"]) <= 60, refused.headers["Retry-After"]
        assert i > 10, f"refused after {i} wrong passwords: too easily"
        assert client.post("/auth/login", {"email": "many-1@example.org", "password": "password"}).status == 429, "guessing on helps"
        other = client.post("/auth/login", {"email": "many-2@example.org", "password": "password"})
        assert other.status == 200, f"another account is refused too: {other}"
        assert client.get("/auth/me", token=other.json()["token"]).status == 200

        for i in range(1, 1001):
            answer = client.post("/orders/guest-lookup", {"orderId": str(uuid.uuid4()), "email": "a@example.org"})
            assert answer.status in (404, 429), answer
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) >= 1
                break
        else:
            raise AssertionError("1 000 look-ups of orders in a minute were all answered")
        assert i > 20, f"looking up is refused after {i}: too easily"


def configured():
    low = {"REGISTRATIONS_PER_MINUTE": "3", "LOGIN_FAILURES_PER_MINUTE": "2", "LOGINS_PER_MINUTE": "4", "ORDER_LOOKUPS_PER_MINUTE": "1",
           "ALLOW_ORDER_BACKDATING": "true"}
    with lib.OneProcess(demo=False, environment=low) as shop:
        client = shop.client()

        def came(count, path, body):
            return [client.post(path, body(i)).status for i in range(count)]

        assert came(4, "/auth/register", lambda i: {"name": "Few", "email": f"few-{i}@example.org", "password": "password"}) == [201, 201, 201, 429]
        assert came(3, "/auth/login", lambda i: {"email": "few-0@example.org", "password": "wrong"}) == [401, 401, 429]
        assert came(5, "/auth/login", lambda i: {"email": "few-1@example.org", "password": "password"}) == [200, 200, 200, 200, 429]
        assert came(2, "/orders/guest-lookup", lambda i: {"orderId": str(uuid.uuid4()), "email": "a@example.org"}) == [404, 429]

        variant = made_variant(shop)
        order = {"guestEmail": "a@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": variant, "quantity": 1}],
                 "overrideCreatedAt": "2024-05-01T10:00:00.000Z"}
        placed = client.post("/orders", order)
        assert placed.status == 201 and placed.json()["createdAt"] == "2024-05-01T10:00:00.000Z", placed
    for variable in low:
        ended = subprocess.run([lib.program("shop"), "--port", str(lib.free_port())], env={**os.environ, variable: "few"}, capture_output=True, text=True, timeout=20)
        assert ended.returncode == 2 and variable.lower().replace("_", "-") in ended.stderr.lower().replace("_", "-"), f"{variable}=few: {ended}"


def made_variant(shop):
    """A product made past the gateway: its administrator could not log in any more."""
    answer = shop.internal("product-service", "POST", "/", {"sku": "LIMIT-1", "name": {"en": "Limit"}, "variants": [{"price": 1, "initialStockQuantity": 5}]})
    assert answer.status == 201, answer
    return answer.json()["variants"][0]["id"]


def main():
    by_default()
    configured()
    print("limits: registrations, logins, guesses, look-ups; by default and configured")


if __name__ == "__main__":
    main()
