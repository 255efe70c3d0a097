#!/usr/bin/env python3
"""An event that cannot be handled goes to the dead letters with its cause and holds up nobody; shopctl shows it and sends it again.

In one process on the embedded log, and, with SHOP_STACK=DIR, on the Kafka of that stack.
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import shop as lib  # noqa: E402

EVENT = {"type": "PRODUCT_UPDATED", "timestamp": "2026-01-01T00:00:00.000Z", "sourceService": "product-service"}


def poison():
    """Two events: one that says nothing of a product, and one that is not even JSON."""
    key = str(uuid.uuid4())
    return [(key, json.dumps({**EVENT, "payload": {"id": "no id at all"}, "eventId": str(uuid.uuid4()), "version": 1})), (key, "{ broken")]


class Embedded:
    counts_on = False  # restarted to publish: its metrics begin anew

    def __init__(self):
        self.shop = lib.OneProcess(demo=True).start()

    def publish(self, events):
        self.shop.stop()  # the folder is the shop's own while it runs
        with sqlite3.connect(self.shop.data / "events.db") as log:
            for key, value in events:
                log.execute("INSERT INTO events (topic, key, value, headers, at) VALUES ('product_events', ?, ?, '{}', 0)", (key, value))
        log.close()
        self.shop.start()

    def dlq(self, *arguments):
        return subprocess.run([lib.program("shopctl"), "--data", str(self.shop.data), "dlq", *arguments], capture_output=True, text=True, timeout=90)

    def dead_letters(self):
        """What /metrics counts for search-service."""
        return count(self.shop.client().get("/metrics").text)

    def close(self):
        self.shop.__exit__(None, None, None)


class OnKafka:
    counts_on = True

    def __init__(self):
        import stack

        self.shop = stack.Stack(os.environ["SHOP_STACK"])
        self.brokers = f"127.0.0.1:{self.shop.stack.port('kafka')}"

    def publish(self, events):
        for key, value in events:
            done = subprocess.run(["kcat", "-P", "-b", self.brokers, "-t", "product_events", "-k", key], input=value, text=True, capture_output=True, timeout=30)
            assert done.returncode == 0, f"kcat: {done.stderr}"

    def topics(self):
        done = subprocess.run(["kcat", "-L", "-J", "-b", self.brokers], text=True, capture_output=True, timeout=30)
        assert done.returncode == 0, f"kcat: {done.stderr}"
        return {topic["topic"] for topic in json.loads(done.stdout)["topics"]} - {"__consumer_offsets"}

    def dlq(self, *arguments):
        return subprocess.run([lib.program("shopctl"), "dlq", "--kafka-brokers", self.brokers, *arguments], capture_output=True, text=True, timeout=90)

    def dead_letters(self):
        ports = [self.shop.stack.services[name]["port"] for name in self.shop.instances("search-service")]
        return sum(count(lib.Client("127.0.0.1", port).get("/metrics").text) for port in ports)

    def close(self):
        pass


def count(metrics):
    return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
               if line.startswith("events_dead_lettered{") and "search-service" in line)


def letters(world):
    done = world.dlq("--json", "list")
    assert done.returncode == 0, f"dlq list: {done.stderr}"
    return json.loads(done.stdout)


def main():
    world = OnKafka() if os.environ.get("SHOP_STACK") else Embedded()
    try:
        topics = world.topics() if world.counts_on else None
        known = {letter["id"] for letter in letters(world)}
        if topics is not None:
            assert world.topics() == topics, f"asking for dead letters has made topics: {world.topics() - topics}"
        before = world.dead_letters()
        events = poison()
        world.publish(events)
        begun = time.monotonic()

        # The partition goes on: a product made now is found.
        admin = world.shop.admin()
        word = f"zq{uuid.uuid4().hex[:10]}"
        made = admin.post("/products", {"sku": word, "name": {"en": f"Thing {word}"}, "variants": [{"price": "1", "attributes": {}}]})
        assert made.status == 201, made
        lib.eventually(lambda: admin.get(f"/search/products?q={word}").json()["data"], 10)
        went_on = time.monotonic() - begun

        new = lib.eventually(lambda: len(found := [each for each in letters(world) if each["id"] not in known]) == 2 and found, 20)
        since = before if world.counts_on else 0
        lib.eventually(lambda: world.dead_letters() - since >= 2, 10)
        for letter, (key, value) in zip(sorted(new, key=lambda each: int(each["id"].rsplit(":", 1)[1])), events):
            assert letter["id"].startswith("search-service:"), letter
            assert (letter["topic"], letter["key"], letter["value"]) == ("product_events", key, value), letter
            assert letter["cause"] and letter["code"] and letter["attempts"] == "5" and not letter["replayed"], letter
            assert letter["group"] == "search-service-group-products" and letter["offset"].isdigit(), letter

        chosen = new[0]["id"]
        shown = world.dlq("show", chosen)
        assert shown.returncode == 0 and new[0]["value"] in shown.stdout and new[0]["cause"] in shown.stdout, shown
        assert world.dlq("show", "search-service:0:999999").returncode == 1
        assert world.dlq("replay").returncode == 2, "replay wants to be told what"

        # Sent again, it fails again: a new letter; the old one is known as sent and is not sent twice by accident.
        assert world.dlq("replay", chosen).returncode == 0
        again = lib.eventually(lambda: len(found := [each for each in letters(world) if each["id"] not in known]) == 3 and found, 20)
        assert [each["replayed"] for each in again if each["id"] == chosen] == [True], again
        refused = world.dlq("replay", chosen)
        assert refused.returncode == 1 and "--again" in refused.stderr, refused
        assert world.dlq("replay", "--again", chosen).returncode == 0
        lib.eventually(lambda: len([each for each in letters(world) if each["id"] not in known]) == 4, 20)
    finally:
        world.close()
    print(f"dead letters: with their cause, shown, sent again; the next event was handled after {went_on:.1f} s ({world.shop.mode})")


if __name__ == "__main__":
    main()
