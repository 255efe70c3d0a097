#!/usr/bin/env python3
"""Plants each violation of I1 to I8 into a copy of a shop's data; `shopctl doctor` must name it, and mend only what can be derived. With SHOP_MODE=distributed into
PostgreSQL, Elasticsearch and Kafka, while the services stand still."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from folder import copied, order  # noqa: E402
from judge import catalogue, customers, wait_for_quiet  # noqa: E402
from shop import program  # noqa: E402
import shops  # noqa: E402
from shops import Alone  # noqa: E402

NOBODY = "01900000-0000-7000-8000-00000000"

# Placeholders: {order} is an order that stands, {cancelled} one that was cancelled, {variant} the variant of both; {spare} is a product that nobody
# ordered, {spare_variant} its variant, {hidden} one that is not shown.
# name, store, statements, the invariants that must be found, what --fix must leave over
PLANTS = [
    ("stock was set by hand", "product", ["UPDATE variants SET stock_quantity = stock_quantity + 5 WHERE id = '{variant}'"], {"I1", "I7"}, {"I1"}),
    ("a movement is lost", "product", ["DELETE FROM stock_movements WHERE type = 'INITIAL_STOCK' AND variant_id = '{variant}'"], {"I1"}, {"I1"}),
    ("a movement is lost with its stock", "product", ["UPDATE variants SET stock_quantity = stock_quantity + 2 WHERE id = '{variant}'",
                                                       "DELETE FROM stock_movements WHERE type = 'ORDER' AND related_order_id = '{order}'"], {"I2", "I7"}, {"I2"}),
    ("stock is below zero", "product", ["NO CHECKS", "UPDATE variants SET stock_quantity = -1 WHERE id = '{variant}'",
                                        "UPDATE stock_movements SET change_quantity = change_quantity - (SELECT SUM(change_quantity) + 1 FROM stock_movements"
                                        " WHERE variant_id = '{variant}') WHERE type = 'INITIAL_STOCK' AND variant_id = '{variant}'"], {"I1", "I7"}, {"I1"}),
    ("an order sold more than it took", "order", ["UPDATE order_items SET quantity = 3 WHERE order_id = '{order}'"], {"I2", "I8"}, {"I2", "I8"}),
    ("an order is lost", "order", ["DELETE FROM order_items WHERE order_id = '{order}'", "DELETE FROM orders WHERE id = '{order}'"], {"I2", "I3"}, {"I2", "I3"}),
    ("an order and its outcome are lost", "order", ["DELETE FROM order_items WHERE order_id = '{order}'", "DELETE FROM orders WHERE id = '{order}'",
                                                    "DELETE FROM order_outcomes WHERE order_id = '{order}'",
                                                    "DELETE FROM idempotency_keys WHERE resource = '{order}'"], {"I2"}, set()),
    ("an acknowledged key without its order", "order", [f"UPDATE idempotency_keys SET resource = '{NOBODY}0000' WHERE resource = '{{order}}'"],
     {"I3", "I4"}, {"I3", "I4"}),
    ("two keys for one order", "order", ["INSERT INTO idempotency_keys SELECT caller, key || '-again', request_hash, resource, status, body, created_at"
                                         " FROM idempotency_keys WHERE resource = '{order}'"], {"I4"}, {"I4"}),
    ("an order that nobody decided", "order", ["DELETE FROM order_outcomes WHERE order_id = '{order}'"], {"I3"}, {"I3"}),
    ("an order that was given up", "order", ["UPDATE order_outcomes SET outcome = 'ABANDONED' WHERE order_id = '{order}'"], {"I3"}, {"I3"}),
    ("a reservation outlived its expiry", "product",
     [f"INSERT INTO reservations VALUES ('{NOBODY}0001', 'HELD', 1000, 1000)",
      f"INSERT INTO reservation_lines SELECT '{NOBODY}0001', variant_id, product_id, quantity, price, cost_price FROM reservation_lines WHERE order_id = '{{order}}'",
      f"INSERT INTO stock_movements SELECT '{NOBODY}0002', variant_id, change_quantity, type, moved_at, reason, '{NOBODY}0001' FROM stock_movements"
      " WHERE related_order_id = '{order}'",
      "UPDATE variants SET stock_quantity = stock_quantity - 2 WHERE id = '{variant}'"], {"I5", "I7"}, set()),
    ("the event of an order never arrived", "product", ["UPDATE reservations SET status = 'HELD', expires_at = 1000 WHERE order_id = '{order}'"], {"I5"}, set()),
    ("a cancelled order kept its stock", "product",
     ["UPDATE reservations SET status = 'CONFIRMED' WHERE order_id = '{cancelled}'",
      "DELETE FROM stock_movements WHERE type = 'ORDER_CANCELLED' AND related_order_id = '{cancelled}'",
      "UPDATE variants SET stock_quantity = stock_quantity - 2 WHERE id = '{variant}'"], {"I2", "I7"}, set()),
    ("a cancelled order gave back twice what it took", "product",
     ["UPDATE stock_movements SET change_quantity = 4 WHERE type = 'ORDER_CANCELLED' AND related_order_id = '{cancelled}'",
      "UPDATE variants SET stock_quantity = stock_quantity + 2 WHERE id = '{variant}'"], {"I2", "I7"}, {"I2"}),
    ("a released order could release again", "product", ["UPDATE reservations SET status = 'CONFIRMED' WHERE order_id = '{cancelled}'"], {"I2"}, {"I2"}),
    ("an event was given up", "events", ["INSERT INTO events (topic, key, value, headers, at) VALUES ('product_service_dlq', 'k', '{{}}', '{{}}', 1)"], {"I6"}, {"I6"}),
    ("nobody was told of an order", "events", ["DELETE FROM events WHERE topic = 'order_events' AND key = '{order}'"], {"I6"}, {"I6"}),
    ("a consumer would skip events", "events", ["UPDATE positions SET number = number + 1000 WHERE consumer = 'search-service-group-products'"], {"I6"}, {"I6"}),
    ("a copy of a user is stale", "order", ["UPDATE user_copies SET name = 'Somebody else' WHERE id = '{user}'"], {"I7"}, set()),
    ("a copy of a user is missing", "order", ["DELETE FROM user_copies WHERE id = '{user}'"], {"I7"}, set()),
    ("a copy of a user who does not exist", "order", [f"INSERT INTO user_copies VALUES ('{NOBODY}0003', 'N', 'n@example.org', NULL, TRUE, 1)"], {"I7"}, {"I7"}),
    ("the index has an old price", "product", ["UPDATE variants SET price = price + 100 WHERE id = '{spare_variant}'"], {"I7"}, set()),
    ("a product is not in the index", "product", ["UPDATE products SET is_active = TRUE WHERE id = '{hidden}'"], {"I7"}, set()),
    ("the index shows what is hidden", "product", ["UPDATE products SET is_active = FALSE WHERE id = '{spare}'"], {"I7"}, set()),
    ("the index shows what does not exist", "product", ["DELETE FROM variants WHERE product_id = '{spare}'", "DELETE FROM products WHERE id = '{spare}'"],
     {"I7"}, set()),
    ("the index is gone", "search", ["remove"], {"I7"}, set()),
    ("the index is an older one", "search", ["older"], {"I7"}, set()),
    ("a price is not the catalogue's", "order", ["UPDATE order_items SET price = price + 1 WHERE order_id = '{order}'",
                                                 "UPDATE orders SET total_minor = total_minor + 2, display_total_minor = display_total_minor + 2"
                                                 " WHERE id = '{order}'"], {"I8"}, {"I8"}),
    ("a total is not the sum", "order", ["UPDATE orders SET total_minor = total_minor + 1 WHERE id = '{order}'"], {"I8"}, {"I8"}),
]


def invariants(report):
    return {finding["invariant"] for finding in report["findings"]}


def shown(report):
    return all(finding["rows"] and finding["message"] for finding in report["findings"])


def filled(shop, between=lambda: None):
    """Goods, orders, a cancellation; the names for the placeholders. `between()` is called before the last product is made."""
    client = shop.admin()
    tag = uuid.uuid4().hex[:6]
    variant = next(iter(catalogue(client, 3, 2, 50, tag=f"doctor-{tag}")))
    token = customers(client, 2, tag)[0]
    user = client.get("/auth/me", token=token).json()["id"]
    placed = [client.post("/orders", order(variant, 2), token=token, headers={"Idempotency-Key": f"k{i}"}).json() for i in range(6)]
    for gone in placed[3:]:
        assert client.post(f"/orders/{gone['id']}/cancel", {}, token=token).status == 200
    quiet(shop)
    between()
    spare, hidden = (client.post("/products", {"sku": f"D-{tag}-{i}", "name": {"en": f"Spare {i}"}, "variants": [{"price": "5", "initialStockQuantity": 1}]}).json()
                     for i in range(2))
    assert client.put(f"/products/{hidden['id']}", {"isActive": False}).status == 200
    quiet(shop)
    client.close()
    return {"variant": variant, "user": user, "order": placed[0]["id"], "cancelled": placed[3]["id"], "spare": spare["id"], "hidden": hidden["id"],
            "spare_variant": spare["variants"][0]["id"]}


def quiet(shop):
    _, report = wait_for_quiet(shop.doctor)
    assert not report["findings"] and not report["waiting"] and not report["notChecked"], report


class Verdicts:
    def __init__(self):
        self.planted = self.faults = 0

    def say(self, good, name, report, wanted, left=None, detail=""):
        self.planted += 1
        self.faults += not good
        over = "" if left is None else f", left by --fix {sorted(left)}"
        print(f"{'ok   ' if good else 'FAULT'} {name}: found {sorted(invariants(report))}{over}", flush=True)
        if not good:
            print(f"      wanted {sorted(wanted)}; {detail or json.dumps(report['findings'])[:1500]}")


# --- one process: a folder for every plant

def doctor(folder, *arguments):
    done = subprocess.run([program("shopctl"), "--data", str(folder), "doctor", "--json", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1) and done.stdout, f"doctor ended with {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def plant(folder, store, statements, names):
    if store == "search":
        shutil.rmtree(folder / "search")
        if statements == ["older"]:
            shutil.copytree(names["older"], folder / "search")
        return
    database = sqlite3.connect(folder / f"{store}.db")
    for statement in statements:
        if statement == "NO CHECKS":
            database.execute("PRAGMA ignore_check_constraints = ON")
            continue
        changed = database.execute(statement.format(**names)).rowcount
        assert changed != 0, f"changes nothing: {statement}"
    database.commit()
    database.close()


def stands_still(shop, insert):
    """Beside a shop that runs and does nothing any more: what waits is no longer called under way."""
    shop.process.send_signal(signal.SIGSTOP)
    try:
        insert()
        return shop.doctor(patience=9)
    finally:
        shop.process.send_signal(signal.SIGCONT)


WAITING_ROW = f"INSERT INTO outbox (event_id, topic, key, body, traceparent, created_at) VALUES ('{NOBODY}0009', 'review_events', 'k', '{{}}', '', 1000)"


def in_one_process(verdicts):
    base = pathlib.Path(tempfile.mkdtemp(prefix="shop-doctor-"))
    try:
        shop = Alone(data=base / "good")
        with shop:
            names = filled(shop, lambda: shutil.copytree(base / "good" / "search", base / "older"))
            names["older"] = base / "older"
            assert shop.stop() == 0
            code, report = doctor(base / "good")
            verdicts.say(code == 0 and not report["findings"], "the shop as it was", report, [])
            still = copied(base / "good", "still")
            for number, (name, store, statements, wanted, left) in enumerate(PLANTS):
                folder = copied(base / "good", f"planted-{number}")
                plant(folder, store, statements, names)
                code, report = doctor(folder)
                good = code == 1 and invariants(report) == wanted and shown(report)
                again_code, again = doctor(folder)
                good &= (again_code, again["findings"]) == (code, report["findings"])  # looking changes nothing
                mended_code, mended = doctor(folder, "--fix")
                good &= all(finding["mended"] for finding in mended["findings"]) and mended_code == (1 if left else 0)
                _, after = doctor(folder)
                good &= invariants(after) == left
                verdicts.say(good, name, report, wanted, invariants(after), json.dumps(mended["findings"])[:1500])
                shutil.rmtree(folder)
            missing = base / "acknowledged"
            missing.write_text(f"{names['order']}\n{NOBODY}abcd\n")
            code, report = doctor(base / "good", "--acknowledged", str(missing))
            good = code == 1 and [finding["subject"] for finding in report["findings"]] == [f"order {NOBODY}abcd"]
            verdicts.say(good, "an acknowledged order that does not exist", report, ["I3"])
        with Alone(data=still) as shop:
            code, report = stands_still(shop, lambda: plant(still, "product", [WAITING_ROW.replace("{}", "{{}}")], {}))
            verdicts.say(code == 1 and invariants(report) == {"I6"} and shown(report), "events wait, and nobody takes them on", report, ["I6"])
        for folder in (base / "good", still):
            (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)
        done = subprocess.run([program("shopctl"), "--data", str(base / "nothing"), "doctor"], capture_output=True, text=True, timeout=60)
        if done.returncode != 1 or "holds no shop" not in done.stderr or (base / "nothing").exists():
            print(f"FAULT a folder without a shop: {done.returncode} {done.stderr}")
            verdicts.faults += 1
    finally:
        shutil.rmtree(base, ignore_errors=True)


# --- distributed: the same rows in PostgreSQL, taken back after each plant

TABLES = {"product": ["products", "variants", "product_categories", "product_images", "variant_attributes", "reservations", "reservation_lines", "stock_movements"],
          "order": ["orders", "order_items", "order_outcomes", "idempotency_keys", "user_copies"]}
MENDED = {"stock was set by hand", "an order and its outcome are lost", "a reservation outlived its expiry", "a cancelled order kept its stock",
          "a copy of a user is stale", "the index shows what does not exist"}  # every kind of repair
CHECK = "variants_stock_quantity_check"


class Stores:
    def __init__(self, stack, names):
        self.stack, self.names = stack, names
        for store, tables in TABLES.items():
            self.sql(store, "CREATE SCHEMA planted; " + "; ".join(f"CREATE TABLE planted.{table} AS TABLE {table}" for table in tables))

    def sql(self, store, statement):
        return self.stack.sql(f"{store}_db", statement)

    def plant(self, store, statements):
        for statement in statements:
            if statement == "NO CHECKS":
                self.sql(store, f"ALTER TABLE variants DROP CONSTRAINT {CHECK}")
                continue
            counted = f"WITH changed AS ({statement.format(**self.names)} RETURNING 1) SELECT count(*) FROM changed"
            assert self.sql(store, counted) != "0", f"changes nothing: {statement}"

    def restore(self, store):
        tables = TABLES[store]
        text = "BEGIN; " + "; ".join(f"DELETE FROM {table}" for table in reversed(tables)) + "; "
        text += "; ".join(f"INSERT INTO {table} SELECT * FROM planted.{table}" for table in tables) + "; "
        if store == "product":
            text += f"ALTER TABLE variants DROP CONSTRAINT IF EXISTS {CHECK}; ALTER TABLE variants ADD CONSTRAINT {CHECK} CHECK (stock_quantity >= 0); "
        self.sql(store, text + "COMMIT")

    def publish_all(self):
        """The index follows what was put back."""
        self.sql("product", "INSERT INTO changed_products (product_id, traceparent) SELECT id, '' FROM products")

    def end(self):
        for store in TABLES:
            self.sql(store, "DROP SCHEMA planted CASCADE")


def distributed(stack, verdicts):
    names = filled(stack)
    stores = Stores(stack, names)
    plants = [each for each in PLANTS if each[1] in TABLES]
    with stack.standing_still():
        for name, store, statements, wanted, _ in plants:
            stores.plant(store, statements)
            code, report = stack.doctor()
            verdicts.say(code == 1 and invariants(report) == wanted and shown(report), name, report, wanted)
            stores.restore(store)
        code, report = stack.doctor()
        verdicts.say(code == 0 and not report["findings"], "everything put back", report, [])
        stores.sql("product", WAITING_ROW)
        code, report = stack.doctor(patience=9)
        verdicts.say(code == 1 and invariants(report) == {"I6"} and shown(report), "events wait, and nobody takes them on", report, ["I6"])
        stores.sql("product", f"DELETE FROM outbox WHERE event_id = '{NOBODY}0009'")
    stack.whole()
    for name, store, statements, wanted, left in plants:
        if name not in MENDED:
            continue
        with stack.standing_still():
            stores.plant(store, statements)
        # Services that run may have mended it before; Consul may still think that they stand.
        end = time.monotonic() + 40
        while True:
            _, report = stack.doctor("--fix")
            _, after = stack.doctor()
            good = all(finding.get("mended") for finding in report["findings"]) and invariants(after) == left
            if good or time.monotonic() > end:
                break
        verdicts.say(good, f"{name}, mended", report, wanted, invariants(after))
        with stack.standing_still():
            for each in TABLES:
                stores.restore(each)
            stores.publish_all()
        quiet(stack)
    stores.end()
    if shops.CURRENT:
        return  # what is given up stays in the log, and others use it
    stack.produce("product_events", str(uuid.uuid4()), "{ broken")
    end = time.monotonic() + 30
    while not (report := stack.doctor()[1])["findings"] and time.monotonic() < end:
        time.sleep(0.2)
    verdicts.say(invariants(report) == {"I6"} and shown(report), "an event was given up", report, ["I6"])


def main():
    verdicts = Verdicts()
    if shops.CURRENT or os.environ.get("SHOP_MODE") == "distributed":
        with shops.mode() as stack:
            distributed(stack, verdicts)
    else:
        in_one_process(verdicts)
    print(f"{verdicts.planted} plants and looks, {verdicts.faults} faults")
    return 1 if verdicts.faults else 0


if __name__ == "__main__":
    sys.exit(main())
