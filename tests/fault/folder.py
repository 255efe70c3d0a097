#!/usr/bin/env python3
"""What a shop says when its port or its folder cannot be used, and what it does when the disk is full while it runs.

Everything ends with a clear sentence on stderr, an exit code that is not 0, and a folder as it was. The full disk is a small tmpfs
in a mount namespace of this test's own (unshare -rm), so it needs no rights and leaves nothing behind.
"""
import hashlib
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from judge import catalogue  # noqa: E402
from shop import OneProcess, eventually, free_port, program  # noqa: E402
from shops import Alone  # noqa: E402

FAULTS = []


def expect(condition, text):
    print(("ok    " if condition else "FAULT ") + text)
    if not condition:
        FAULTS.append(text)


def fingerprint(folder):
    """Of every file but the lock and what SQLite keeps beside its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock" and not path.name.endswith(("-shm", "-wal")))
    return {str(path.relative_to(folder)): hashlib.sha256(content(path)).hexdigest() for path in files}


def content(path):
    """Of a database what is in it: opening one may move its log into its file."""
    if path.suffix == ".db" and path.read_bytes()[:6] == b"SQLite":
        database = sqlite3.connect(path)
        try:
            return "\n".join(sorted(database.iterdump())).encode()
        except sqlite3.DatabaseError:
            pass
        finally:
            database.close()
    return path.read_bytes()


def refused(folder, wanted, name, arguments=(), **more):
    """The shop does not start on the folder, says `wanted`, ends with 1 and changes nothing."""
    before = fingerprint(folder) if folder.exists() else None
    done = subprocess.run([program("shop"), "--port", str(free_port()), "--data", str(folder), *arguments], capture_output=True, text=True, timeout=60, **more)
    said = done.stderr.strip()
    expect(done.returncode == 1 and all(word in said for word in wanted), f"{name}: exit code {done.returncode}, {said!r}")
    expect(len(said.splitlines()) == 1 and said.startswith("shop: "), f"{name}: one sentence")
    if before is not None:
        changed = [path for path, value in fingerprint(folder).items() if before.get(path) != value]
        expect(not changed, f"{name}: nothing was changed {changed}")


def good_folder(folder):
    """A folder with a product, an order and an administrator."""
    shop = Alone(data=folder)
    with shop:
        client = shop.admin()
        variant = next(iter(catalogue(client, 1, 1, 10)))
        answer = client.post("/orders", order(variant))
        assert answer.status == 201, answer
        assert shop.stop() == 0
    shop.log_path.unlink()
    return variant


def order(variant, quantity=1):
    return {"guestEmail": "guest@example.org", "phone": "1", "paymentMethod": "CASH_ON_DELIVERY", "items": [{"variantId": variant, "quantity": quantity}]}


def copied(source, name):
    target = source.parent / name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock"))
    return target


def checkpointed(folder):
    for file in folder.glob("*.db"):
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()


def damaged_folders(good):
    for file in ("auth.db", "product.db", "order.db", "events.db"):
        folder = copied(good, f"damaged-{file}")
        with open(folder / file, "r+b") as out:
            out.write(b"This is no database at all. " * 40)
        refused(folder, [file, "damaged"], f"damaged {file}")

    folder = copied(good, "damaged-inside")
    size = (folder / "order.db").stat().st_size
    with open(folder / "order.db", "r+b") as out:
        out.seek(4096)
        out.write(b"\xa5" * (size - 8192))
    done = subprocess.run([program("shopctl"), "--data", str(folder), "doctor"], capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    expect(done.returncode == 1 and "damage" in said or "malformed" in said, f"damaged inside: doctor says {said.strip()[:200]!r}")

    folder = copied(good, "truncated")
    os.truncate(folder / "product.db", (folder / "product.db").stat().st_size // 2)
    done = subprocess.run([program("shopctl"), "--data", str(folder), "doctor"], capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    expect(done.returncode == 1 and ("damage" in said or "malformed" in said), f"truncated product.db: doctor says {said.strip()[:200]!r}")

    folder = copied(good, "damaged-version")
    (folder / "VERSION").write_text("abc")
    refused(folder, ["VERSION", "damaged"], "damaged VERSION")


def newer_folders(good):
    folder = copied(good, "newer-layout")
    (folder / "VERSION").write_text("99\n")
    refused(folder, ["newer program", "99"], "newer layout")
    folder = copied(good, "newer-schema")
    database = sqlite3.connect(folder / "order.db")
    table = database.execute("SELECT name FROM sqlite_schema WHERE name LIKE '%migration%'").fetchone()[0]
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    database.execute(f"INSERT INTO {table} ({columns[0]}, {columns[1]}) VALUES (999, 'from the future')" if len(columns) == 2
                     else f"INSERT INTO {table} ({', '.join(columns)}) VALUES (999, 'from the future'{', 0' * (len(columns) - 2)})")
    database.commit()
    database.close()
    checkpointed(folder)
    refused(folder, ["order", "999", "newer program"], "newer schema")


def unusable_folders(base, good):
    file = base / "a-file"
    file.write_text("x")
    refused(file, [str(file)], "a file instead of a folder")
    folder = copied(good, "read-only")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder, folder], check=True)
    refused(folder, [str(folder)], "read-only folder")
    subprocess.run(["umount", folder], check=True)
    refused(base / "read-only-parent" / "x", ["read-only-parent"], "a folder that cannot be made") if make_read_only(base / "read-only-parent") else None


def make_read_only(folder):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder], check=True)
    return True


def port_in_use(good):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        folder = copied(good, "port")
        done = subprocess.run([program("shop"), "--port", str(port), "--data", str(folder)], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 1 and str(port) in done.stderr and "in use" in done.stderr, f"port in use: exit code {done.returncode}, {done.stderr.strip()!r}")
        for _ in range(2):  # the folder is free and whole again
            with OneProcess(demo=False, data=folder) as shop:
                expect(shop.client().get("/products").status == 200, "port in use: the same folder opens on another port")
                done = subprocess.run([program("shop"), "--port", str(free_port()), "--data", str(folder)], capture_output=True, text=True, timeout=60)
                expect(done.returncode == 1 and "Another shop" in done.stderr, f"folder in use: exit code {done.returncode}, {done.stderr.strip()!r}")


def fill(folder):
    """Takes every free byte."""
    with open(folder / "filler", "wb", buffering=0) as out:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                pass


def full_disk(base):
    disk = base / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    fill(disk)
    refused(disk / "new", [str(disk)], "start on a full disk")
    (disk / "filler").unlink()
    shutil.rmtree(disk / "new", ignore_errors=True)

    with Alone(data=disk / "shop") as shop:
        client = shop.admin()
        variants = list(catalogue(client, 5, 4, 1000))
        orders = {}
        for number in range(20):
            answer = client.post("/orders", order(variants[number]), headers={"Idempotency-Key": f"before-{number}"})
            assert answer.status == 201, answer
            orders[f"before-{number}"] = answer
        fill(disk)
        statuses, unsure = {}, []
        for number in range(60):
            answer = client.post("/orders", order(variants[number % 20], 2), headers={"Idempotency-Key": f"during-{number}"})
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status == 201:
                orders[f"during-{number}"] = answer
            else:
                unsure.append(number)
                expect(answer.status == 503 and "Retry-After" in answer.headers, f"full disk: {answer}") if answer.status != 503 else None
        expect(statuses.get(503, 0) > 0 and set(statuses) <= {201, 503}, f"full disk: orders are refused with 503: {statuses}")
        expect(client.get("/products").status == 200 and client.get(f"/products/variants/{variants[0]}").status == 200, "full disk: reading goes on")
        expect(shop.process.poll() is None, "full disk: the shop lives")
        (disk / "filler").unlink()
        again = eventually(lambda: (answer := client.post("/orders", order(variants[0]), headers={"Idempotency-Key": "after"})).status == 201 and answer, 5)
        orders["after"] = again
        for number in unsure:  # the same keys end at one order each
            answer = client.post("/orders", order(variants[number % 20], 2), headers={"Idempotency-Key": f"during-{number}"})
            expect(answer.status == 201, f"full disk: the key of a refused order places it afterwards: {answer}") if answer.status != 201 else None
            orders[f"during-{number}"] = answer
        listed = client.get("/orders?limit=100").json()["pagination"]["total"]
        expect(listed == len(orders), f"full disk: {listed} orders for {len(orders)} keys")
        report = {}

        def quiet():
            nonlocal report
            _, report = shop.doctor()
            return not report["findings"] and not report["waiting"]
        try:
            eventually(quiet, 30, 0.5)
        except AssertionError:
            expect(False, f"full disk: doctor afterwards: {report}")
        expect(shop.stop() == 0, "full disk: the shop stops as ever")


def main():
    if os.environ.get("FOLDER_TEST_INSIDE") != "1":
        os.environ["FOLDER_TEST_INSIDE"] = "1"
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
            print("This test needs a mount namespace (unshare -rm), for a disk that it can fill: allow user namespaces, or run it as root.")
            return 1
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])
    base = pathlib.Path(tempfile.mkdtemp(prefix="shop-folder-"))
    try:
        good = base / "good"
        good_folder(good)
        checkpointed(good)
        port_in_use(good)
        damaged_folders(good)
        newer_folders(good)
        unusable_folders(base, good)
        full_disk(base)
    finally:
        for name in ("disk", "read-only-parent"):
            subprocess.run(["umount", base / name], capture_output=True)
        shutil.rmtree(base, ignore_errors=True)
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
