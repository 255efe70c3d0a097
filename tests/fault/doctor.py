#!/usr/bin/env python3
"""Plants each violation of I1 to I8 into a copy of a shop's data; `shopctl doctor` must name it, and mend only what can be derived."""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from folder import copied, order  # noqa: E402
from judge import catalogue, customers, wait_for_quiet  # noqa: E402
from shop import program  # noqa: E402
from shops import Alone  # noqa: E402

# Placeholders: {order} is an order that stands, {cancelled} one that was cancelled, {variant} the variant of both.
# name, store, statements, the invariants that must be found, what --fix must leave over
PLANTS = [
    ("stock was set by hand", "product", ["UPDATE variants SET stock_quantity = stock_quantity + 5 WHERE id = '{variant}'"], {"I1"}, {"I1"}),
    ("a movement is lost", "product", ["DELETE FROM stock_movements WHERE type = 'INITIAL_STOCK' AND variant_id = '{variant}'"], {"I1"}, {"I1"}),
    ("a movement is lost with its stock", "product", ["UPDATE variants SET stock_quantity = stock_quantity + 2 WHERE id = '{variant}'",
                                                       "DELETE FROM stock_movements WHERE type = 'ORDER' AND related_order_id = '{order}'"], {"I2"}, {"I2"}),
    ("stock is below zero", "product", ["PRAGMA ignore_check_constraints = ON", "UPDATE variants SET stock_quantity = -1 WHERE id = '{variant}'",
                                        "UPDATE stock_movements SET change_quantity = change_quantity - (SELECT SUM(change_quantity) + 1 FROM stock_movements"
                                        " WHERE variant_id = '{variant}') WHERE type = 'INITIAL_STOCK' AND variant_id = '{variant}'"], {"I1"}, {"I1"}),
    ("an order sold more than it took", "order", ["UPDATE order_items SET quantity = 3 WHERE order_id = '{order}'"], {"I2", "I8"}, {"I2", "I8"}),
    ("an order is lost", "order", ["DELETE FROM order_items WHERE order_id = '{order}'", "DELETE FROM orders WHERE id = '{order}'"], {"I2", "I3"}, {"I2", "I3"}),
    ("an order and its outcome are lost", "order", ["DELETE FROM order_items WHERE order_id = '{order}'", "DELETE FROM orders WHERE id = '{order}'",
                                                    "DELETE FROM order_outcomes WHERE order_id = '{order}'",
                                                    "DELETE FROM idempotency_keys WHERE resource = '{order}'"], {"I2"}, set()),
    ("an acknowledged key without its order", "order", ["UPDATE idempotency_keys SET resource = '01900000-0000-7000-8000-000000000000'"
                                                        " WHERE resource = '{order}'"], {"I3", "I4"}, {"I3", "I4"}),
    ("two keys for one order", "order", ["INSERT INTO idempotency_keys SELECT caller, key || '-again', request_hash, resource, status, body, created_at"
                                         " FROM idempotency_keys WHERE resource = '{order}'"], {"I4"}, {"I4"}),
    ("an order that nobody decided", "order", ["DELETE FROM order_outcomes WHERE order_id = '{order}'"], {"I3"}, {"I3"}),
    ("an order that was given up", "order", ["UPDATE order_outcomes SET outcome = 'ABANDONED' WHERE order_id = '{order}'"], {"I3"}, {"I3"}),
    ("a reservation outlived its expiry", "product",
     ["INSERT INTO reservations VALUES ('01900000-0000-7000-8000-000000000001', 'HELD', 1000, 1000)",
      "INSERT INTO reservation_lines SELECT '01900000-0000-7000-8000-000000000001', variant_id, product_id, quantity, price, cost_price"
      " FROM reservation_lines WHERE order_id = '{order}'",
      "INSERT INTO stock_movements SELECT '01900000-0000-7000-8000-000000000002', variant_id, change_quantity, type, moved_at, reason,"
      " '01900000-0000-7000-8000-000000000001' FROM stock_movements WHERE related_order_id = '{order}'",
      "UPDATE variants SET stock_quantity = stock_quantity - 2 WHERE id = '{variant}'"], {"I5"}, set()),
    ("the event of an order never arrived", "product", ["UPDATE reservations SET status = 'HELD', expires_at = 1000 WHERE order_id = '{order}'"], {"I5"}, set()),
    ("a cancelled order kept its stock", "product",
     ["UPDATE reservations SET status = 'CONFIRMED' WHERE order_id = '{cancelled}'",
      "DELETE FROM stock_movements WHERE type = 'ORDER_CANCELLED' AND related_order_id = '{cancelled}'",
      "UPDATE variants SET stock_quantity = stock_quantity - 2 WHERE id = '{variant}'"], {"I2"}, set()),
    ("a cancelled order gave back twice what it took", "product",
     ["UPDATE stock_movements SET change_quantity = 4 WHERE type = 'ORDER_CANCELLED' AND related_order_id = '{cancelled}'",
      "UPDATE variants SET stock_quantity = stock_quantity + 2 WHERE id = '{variant}'"], {"I2"}, {"I2"}),
    ("a released order could release again", "product", ["UPDATE reservations SET status = 'CONFIRMED' WHERE order_id = '{cancelled}'"], {"I2"}, {"I2"}),
    ("events were given up", "events", ["INSERT INTO events (topic, key, value, headers, at) VALUES ('product_service_dlq', 'k', '{{}}', '{{}}', 1)"], {"I6"}, {"I6"}),
    ("a copy of a user is stale", "order", ["UPDATE user_copies SET name = 'Somebody else' WHERE id = '{user}'"], {"I7"}, set()),
    ("a copy of a user is missing", "order", ["DELETE FROM user_copies WHERE id = '{user}'"], {"I7"}, set()),
    ("a price is not the catalogue's", "order", ["UPDATE order_items SET price = price + 1 WHERE order_id = '{order}'",
                                                 "UPDATE orders SET total_minor = total_minor + 2, display_total_minor = display_total_minor + 2"
                                                 " WHERE id = '{order}'"], {"I8"}, {"I8"}),
    ("a total is not the sum", "order", ["UPDATE orders SET total_minor = total_minor + 1 WHERE id = '{order}'"], {"I8"}, {"I8"}),
]


def doctor(folder, *arguments):
    done = subprocess.run([program("shopctl"), "--data", str(folder), "doctor", "--json", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1) and done.stdout, f"doctor ended with {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def invariants(report):
    return {finding["invariant"] for finding in report["findings"]}


def shop_to_plant_in(folder):
    shop = Alone(data=folder)
    with shop:
        client = shop.admin()
        variant = next(iter(catalogue(client, 3, 2, 50)))
        token = customers(client, 2)[0]
        user = client.get("/auth/me", token=token).json()["id"]
        placed = [client.post("/orders", order(variant, 2), token=token, headers={"Idempotency-Key": f"k{i}"}).json() for i in range(6)]
        for gone in placed[3:]:
            assert client.post(f"/orders/{gone['id']}/cancel", {}, token=token).status == 200
        took, report = wait_for_quiet(shop.doctor)
        assert not report["findings"] and not report["waiting"], report
        assert shop.stop() == 0
    shop.log_path.unlink()
    return {"variant": variant, "user": user, "order": placed[0]["id"], "cancelled": placed[3]["id"]}


def plant(folder, store, statements, names):
    database = sqlite3.connect(folder / f"{store}.db")
    for statement in statements:
        changed = database.execute(statement.format(**names)).rowcount
        assert changed != 0, f"changes nothing: {statement}"
    database.commit()
    database.close()


def main():
    base, faults = pathlib.Path(tempfile.mkdtemp(prefix="shop-doctor-")), 0
    try:
        names = shop_to_plant_in(base / "good")
        code, report = doctor(base / "good")
        if code != 0 or report["findings"]:
            print(f"FAULT the shop as it was: {report}")
            return 1
        for number, (name, store, statements, wanted, left) in enumerate(PLANTS):
            folder = copied(base / "good", f"planted-{number}")
            plant(folder, store, statements, names)
            code, report = doctor(folder)
            shown = all(finding["rows"] and finding["message"] for finding in report["findings"])
            good = code == 1 and invariants(report) == wanted and shown
            again_code, again = doctor(folder)
            good &= (again_code, again["findings"]) == (code, report["findings"])  # looking changes nothing
            mended_code, mended = doctor(folder, "--fix")
            good &= all(finding["mended"] for finding in mended["findings"]) and mended_code == (1 if left else 0)
            _, after = doctor(folder)
            good &= invariants(after) == left
            if not good:
                faults += 1
            print(f"{'ok   ' if good else 'FAULT'} {name}: found {sorted(invariants(report))}, left by --fix {sorted(invariants(after))}")
            if not good:
                print(f"      wanted {sorted(wanted)} and {sorted(left)}; {json.dumps(mended['findings'])[:1500]}")
            shutil.rmtree(folder)
        missing = base / "acknowledged"
        missing.write_text(f"{names['order']}\n01900000-0000-7000-8000-00000000abcd\n")
        code, report = doctor(base / "good", "--acknowledged", str(missing))
        if code != 1 or [finding["subject"] for finding in report["findings"]] != ["order 01900000-0000-7000-8000-00000000abcd"]:
            print(f"FAULT an acknowledged order that does not exist: {report['findings']}")
            faults += 1
        code, _ = doctor(base / "good")
        faults += code != 0
        done = subprocess.run([program("shopctl"), "--data", str(base / "nothing"), "doctor"], capture_output=True, text=True, timeout=60)
        if done.returncode != 1 or "holds no shop" not in done.stderr or (base / "nothing").exists():
            print(f"FAULT a folder without a shop: {done.returncode} {done.stderr}")
            faults += 1
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{len(PLANTS)} violations planted, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
