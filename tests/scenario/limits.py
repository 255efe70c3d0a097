#!/usr/bin/env python3
"""The limits on accounts, as they are set without any configuration: tests/scenario/limits.py.

One address may register 60 accounts a minute; 120 wrong passwords on one account end in 429 with Retry-After, for that account alone,
and before its window is over nobody is let in by guessing on; looking orders up is limited too.
"""
import pathlib
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402


def main():
    with lib.OneProcess(demo=False) as shop:
        client = shop.client()
        for i in range(60):
            answer = client.post("/auth/register", {"name": "Many", "email": f"many-{i}@example.org", "password": "password"})
            assert answer.status == 201, f"registration {i + 1} of 60 in a minute: {answer}"

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
    print("limits: registrations, guesses, look-ups")


if __name__ == "__main__":
    main()
