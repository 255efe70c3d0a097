#!/usr/bin/env python3
"""Invitations to the end: tests/scenario/invitations.py. The mail's token is read where a mailer would get it: from the event.

Accepting (the account works, USER_CREATED follows, the token works once), a withdrawn invitation, and one that is older than a day.
"""
import hashlib
import json
import pathlib
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402

DAY_MS = 24 * 3600 * 1000


def events_of(shop, user):
    database = sqlite3.connect(f"file:{shop.data / 'events.db'}?mode=ro", uri=True, timeout=10)
    try:
        rows = database.execute("SELECT value FROM events WHERE topic = 'auth_events' AND key = ? ORDER BY number", (user,)).fetchall()
    finally:
        database.close()
    return [json.loads(value) for (value,) in rows]


def event(shop, user, kind):
    return lib.eventually(lambda: next((e for e in events_of(shop, user) if e["type"] == kind), None))


def invite(shop, admin, email, role):
    answer = admin.post("/auth/users/invite", {"name": "New Colleague", "email": email, "roleId": role})
    assert answer.status == 201, answer
    user = answer.json()["userId"]
    invited = event(shop, user, "USER_INVITED")
    payload = invited["payload"]
    assert set(payload) == {"id", "name", "email", "token"} and payload["id"] == user and payload["email"] == email, invited
    assert len(payload["token"]) == 64, f"a token of 256 bits has 64 hexadecimal digits: {payload['token']}"
    return user, payload["token"]


def expect(answer, status, what):
    assert answer.status == status, f"{what}: expected {status}, came {answer}"
    return answer


def main():
    with lib.OneProcess(demo=False) as shop:
        made = shop.shopctl("create-admin", *lib.ADMIN)
        assert made.returncode == 0, made.stderr
        admin, visitor = shop.admin(), shop.client()
        roles = {role["name"]: role["id"] for role in admin.get("/auth/roles").json()}

        user, token = invite(shop, admin, "colleague@example.org", roles["Support"])
        stored = sqlite3.connect(f"file:{shop.data / 'auth.db'}?mode=ro", uri=True, timeout=10)
        assert stored.execute("SELECT invitation_hash FROM users WHERE id = ?", (user,)).fetchone()[0] == hashlib.sha256(token.encode()).hexdigest()
        stored.close()
        expect(admin.post(f"/auth/users/{user}/activate"), 409, "activating an invitation that nobody accepted")

        answer = expect(visitor.post("/auth/complete-invitation", {"token": token, "password": "a new password"}), 200, "accepting")
        assert set(answer.json()) == {"token"}, answer
        me = expect(visitor.get("/auth/me", token=answer.json()["token"]), 200, "the new account").json()
        assert me == {"id": user, "name": "New Colleague", "email": "colleague@example.org", "profileImage": None, "role": {"name": "Support"}}, me
        expect(visitor.post("/auth/login", {"email": "COLLEAGUE@example.org", "password": "a new password"}), 200, "logging in")
        created = event(shop, user, "USER_CREATED")["payload"]
        assert created == {"id": user, "name": "New Colleague", "email": "colleague@example.org", "profileImage": None,
                           "createdAt": created["createdAt"], "isActive": True}, created
        expect(visitor.post("/auth/complete-invitation", {"token": token, "password": "another password"}), 404, "accepting twice")
        expect(admin.delete(f"/auth/users/{user}"), 204, "deactivating")
        assert event(shop, user, "USER_DELETED")["payload"] == {"id": user}
        expect(admin.get(f"/auth/users/{user}"), 200, "a deactivated account stays")

        withdrawn, gone = invite(shop, admin, "withdrawn@example.org", roles["Support"])
        expect(admin.delete(f"/auth/users/{withdrawn}"), 204, "withdrawing")
        expect(visitor.post("/auth/complete-invitation", {"token": gone, "password": "a new password"}), 404, "accepting what was withdrawn")

        late, stale = invite(shop, admin, "late@example.org", roles["Support"])
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
    print("invitations: accepted once, withdrawn, expired")


if __name__ == "__main__":
    main()
