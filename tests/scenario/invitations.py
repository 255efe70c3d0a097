#!/usr/bin/env python3
"""Invitations to the end: tests/scenario/invitations.py, in one process or, with SHOP_STACK, against a stack. The mail's token is read where a mailer
would get it: from the event.

Accepting (the account works, USER_CREATED follows, the token works once), by several at once and against its withdrawal, a withdrawn invitation, and,
in one process, whose store can be opened, one that is older than a day.
"""
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402
from races import at_once  # noqa: E402

DAY_MS = 24 * 3600 * 1000
ROUNDS = 10


def events_of(shop, *users):
    if os.environ.get("SHOP_STACK"):
        done = subprocess.run(["kcat", "-C", "-e", "-q", "-X", "fetch.wait.max.ms=20", "-b", f"127.0.0.1:{shop.stack.port('kafka')}", "-t", "auth_events", "-o", "beginning", "-f", "%k\t%s\n"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"kcat: {done.stderr}"
        lines = [line.partition("\t") for line in done.stdout.splitlines()]
        return [json.loads(value) for key, _, value in lines if key in users]
    database = sqlite3.connect(f"file:{shop.data / 'events.db'}?mode=ro", uri=True, timeout=10)
    try:
        rows = database.execute(f"SELECT value FROM events WHERE topic = 'auth_events' AND key IN ({', '.join('?' * len(users))}) ORDER BY number", users).fetchall()
    finally:
        database.close()
    return [json.loads(value) for (value,) in rows]


def event(shop, user, kind):
    return lib.eventually(lambda: next((e for e in events_of(shop, user) if e["type"] == kind), None))


def invite(shop, admin, role, *emails):
    """(user, token) of each."""
    users = {}
    for email in emails:
        answer = admin.post("/auth/users/invite", {"name": "New Colleague", "email": email, "roleId": role})
        assert answer.status == 201, answer
        users[answer.json()["userId"]] = email
    invited = lib.eventually(lambda: len(events := [e for e in events_of(shop, *users) if e["type"] == "USER_INVITED"]) == len(users) and events)
    tokens = {}
    for each in invited:
        payload = each["payload"]
        assert set(payload) == {"id", "name", "email", "token"} and payload["email"] == users[payload["id"]], each
        assert len(payload["token"]) == 64, f"a token of 256 bits has 64 hexadecimal digits: {payload['token']}"
        tokens[payload["id"]] = payload["token"]
    return [(user, tokens[user]) for user in users]


def expect(answer, status, what):
    assert answer.status == status, f"{what}: expected {status}, came {answer}"
    return answer


def email_of(name):
    return f"{name}-{uuid.uuid4().hex[:10]}@example.org"


def accepting(shop, admin, role):
    email, visitor = email_of("colleague"), shop.client()
    (user, token), = invite(shop, admin, role, email)
    if shop.mode == "one process":
        stored = sqlite3.connect(f"file:{shop.data / 'auth.db'}?mode=ro", uri=True, timeout=10)
        assert stored.execute("SELECT invitation_hash FROM users WHERE id = ?", (user,)).fetchone()[0] == hashlib.sha256(token.encode()).hexdigest()
        stored.close()
    expect(admin.post(f"/auth/users/{user}/activate"), 409, "activating an invitation that nobody accepted")

    answer = expect(visitor.post("/auth/complete-invitation", {"token": token, "password": "a new password"}), 200, "accepting")
    assert set(answer.json()) == {"token"}, answer
    me = expect(visitor.get("/auth/me", token=answer.json()["token"]), 200, "the new account").json()
    assert me == {"id": user, "name": "New Colleague", "email": email, "profileImage": None, "role": {"name": "Support"}}, me
    expect(visitor.post("/auth/login", {"email": email.upper(), "password": "a new password"}), 200, "logging in")
    created = event(shop, user, "USER_CREATED")["payload"]
    assert created == {"id": user, "name": "New Colleague", "email": email, "profileImage": None,
                       "createdAt": created["createdAt"], "isActive": True}, created
    expect(visitor.post("/auth/complete-invitation", {"token": token, "password": "another password"}), 404, "accepting twice")
    expect(admin.delete(f"/auth/users/{user}"), 204, "deactivating")
    assert event(shop, user, "USER_DELETED")["payload"] == {"id": user}
    expect(admin.get(f"/auth/users/{user}"), 200, "a deactivated account stays")


def withdrawing(shop, admin, role):
    (withdrawn, gone), = invite(shop, admin, role, email_of("withdrawn"))
    expect(admin.delete(f"/auth/users/{withdrawn}"), 204, "withdrawing")
    expect(shop.client().post("/auth/complete-invitation", {"token": gone, "password": "a new password"}), 404, "accepting what was withdrawn")


def accepting_at_once(shop, admin, role):
    """Two accept one invitation: one of them has the account, with the password that one gave."""
    emails = [email_of("two") for _ in range(ROUNDS)]
    for email, (_, token) in zip(emails, invite(shop, admin, role, *emails)):
        answers = at_once(shop, 2, lambda c, i: c.post("/auth/complete-invitation", {"token": token, "password": f"password of {i}"}))
        assert sorted(a.status for a in answers) == [200, 404], f"one invitation, accepted twice: {answers}"
        won = next(i for i in (0, 1) if answers[i].status == 200)
        expect(shop.client().post("/auth/login", {"email": email, "password": f"password of {won}"}), 200, "logging in with the password of who won")


def accepting_against_withdrawal(shop, admin, role):
    """Either the invitation is gone, or it was accepted first and the account is closed: an acknowledged withdrawal leaves no way in."""
    emails = [email_of("against") for _ in range(ROUNDS)]
    for number, (email, (user, token)) in enumerate(zip(emails, invite(shop, admin, role, *emails))):
        def ask(client, i):
            if i == 0:
                return client.post("/auth/complete-invitation", {"token": token, "password": "a new password"})
            time.sleep(0.004 * number)  # the password is hashed first
            return client.delete(f"/auth/users/{user}", token=admin.token)
        accepted, withdrawn = at_once(shop, 2, ask)
        expect(withdrawn, 204, "withdrawing")
        assert accepted.status in (200, 404), accepted
        login = shop.client().post("/auth/login", {"email": email, "password": "a new password"})
        expect(login, 403 if accepted.status == 200 else 401, f"logging in after {accepted}")
        expect(admin.get(f"/auth/users/{user}"), 200 if accepted.status == 200 else 404, f"the account after {accepted}")


def expiring(shop, admin, role):
    (late, stale), = invite(shop, admin, role, "late@example.org")
    assert shop.stop() == 0, "the shop did not end cleanly"
    database = sqlite3.connect(shop.data / "auth.db")
    expires, made_at = database.execute("SELECT invitation_expires_at, created_at FROM users WHERE id = ?", (late,)).fetchone()
    assert expires - made_at == DAY_MS, f"an invitation holds {expires - made_at} ms instead of a day"
    database.execute("UPDATE users SET invitation_expires_at = ?, created_at = ? WHERE id = ?", (made_at - 1000, made_at - DAY_MS - 1000, late))
    database.commit()
    database.close()
    shop.start()
    visitor = shop.client()
    answer = expect(visitor.post("/auth/complete-invitation", {"token": stale, "password": "a new password"}), 410, "accepting a day too late")
    assert answer.json()["code"] == "GONE" and answer.json()["message"], answer
    expect(visitor.post("/auth/login", {"email": "late@example.org", "password": "a new password"}), 401, "logging in without having accepted")


def main():
    with lib.opened(demo=False) as shop:
        if shop.mode == "one process":
            made = shop.shopctl("create-admin", *lib.ADMIN)
            assert made.returncode == 0, made.stderr
        admin = shop.admin()
        role = next(role["id"] for role in admin.get("/auth/roles").json() if role["name"] == "Support")
        steps = [accepting, withdrawing, accepting_at_once, accepting_against_withdrawal, *([expiring] if shop.mode == "one process" else [])]
        for step in steps:
            step(shop, admin, role)
    print(f"invitations: {', '.join(step.__name__.replace('_', ' ') for step in steps)}")


if __name__ == "__main__":
    main()
