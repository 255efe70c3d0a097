#!/usr/bin/env python3
"""image-service from outside: the contract's section 5, hostile files, hostile paths, and a kill in the middle of uploads."""
import concurrent.futures
import hashlib
import pathlib
import re
import select
import socket
import sys
import tempfile
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import pictures  # noqa: E402
from shop import Alone, OneProcess, ROOT, Running, free_port, opened  # noqa: E402

STING = [pictures.SCRIPT, b"<?php", b"<svg", b"<!DOCTYPE", b"PK\x03\x04", b"alert("]
TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
NAME = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(png|jpg|gif|webp)$")


def upload(client, data, **how):
    body, headers = pictures.form(data, **how)
    return client.post("/images/upload", body, headers=headers)


def is_error(answer, status):
    assert answer.status == status, answer
    problem = answer.json()
    assert problem["status"] == "error" and problem["message"], problem
    return problem


def fixed_fields(answer, kind):
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Content-Security-Policy"] == "sandbox", answer.headers
    assert answer.headers["ETag"].startswith('"'), "a strong validator"
    if answer.status != 304:
        assert answer.headers["Content-Type"] == kind, answer.headers


def through_the_gateway(shop):
    client = shop.client()
    for data, kind, claim in [(pictures.png(3, 2), "image/png", "text/html"), (pictures.jpeg(), "image/jpeg", "image/png"), (pictures.gif(), "image/gif", ""),
                              (pictures.webp(pictures.vp8l()), "image/webp", "image/svg+xml")]:
        answer = upload(client, data, filename="../../x.svg", content_type=claim or "application/octet-stream")
        assert answer.status == 201, answer
        made = answer.json()
        assert set(made) == {"message", "filename", "imageUrl", "mimetype", "size"}, made
        assert made["mimetype"] == kind and made["size"] == len(data) and NAME.match(made["filename"]), made
        uuid.UUID(made["filename"][:36])
        address = urllib.parse.urlsplit(made["imageUrl"])
        assert address.path == "/images/" + made["filename"] and address.port == shop.port, made
        got = client.get(address.path)
        assert got.status == 200 and got.body == data, got.status
        fixed_fields(got, kind)
        again = upload(client, data).json()
        assert again["filename"] == made["filename"], "one picture, one name"

        tag, size = got.headers["ETag"], len(data)
        assert int(got.headers["Content-Length"]) == size
        head = client.request("HEAD", address.path)
        assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) == size
        for match in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            fresh = client.get(address.path, headers={"If-None-Match": match, "Range": "bytes=0-1"})
            assert fresh.status == 304 and fresh.body == b"", (match, fresh)
            fixed_fields(fresh, kind)
        assert client.get(address.path, headers={"If-None-Match": '"other"'}).status == 200
        for wanted, begin, end in [("bytes=0-0", 0, 1), ("bytes=2-9", 2, 10), ("bytes=5-", 5, size), ("bytes=-7", size - 7, size), ("bytes=0-99999", 0, size),
                                   ("bytes=-99999", 0, size)]:
            part = client.get(address.path, headers={"Range": wanted})
            assert part.status == 206 and part.body == data[begin:end], (wanted, part.status, part.body)
            assert part.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{size}" and int(part.headers["Content-Length"]) == end - begin
            fixed_fields(part, kind)
        for wanted in (f"bytes={size}-", "bytes=99999-100000", "bytes=-0"):
            none = client.get(address.path, headers={"Range": wanted})
            is_error(none, 416)
            assert none.headers["Content-Range"] == f"bytes */{size}"
        for wanted in ("bytes=9-2", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes", "bytes=99999999999999999999-"):
            whole = client.get(address.path, headers={"Range": wanted})
            assert whole.status == 200 and whole.body == data, (wanted, whole.status)
        assert client.get(address.path, headers={"Range": "bytes=0-1", "If-Range": tag}).status == 206
        assert client.get(address.path, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status == 200
        assert client.get(address.path, headers={"Range": "bytes=0-1", "If-Range": "W/" + tag}).status == 200
    is_error(client.get(f"/images/{uuid.uuid4()}.png"), 404)
    assert client.get("/images/health").json()["service"] == "image-service"


def forms(shop):
    client = shop.client()
    good = pictures.png()
    limit = 5 * 1024 * 1024
    assert upload(client, good + b"\0" * (limit - len(good))).status == 201, "exactly 5 MiB"
    for size in (limit + 1, limit + 70_000, limit * 4):
        is_error(upload(client, good + b"\0" * (size - len(good))), 400)
    for how in ({"field": "file"}, {"field": "imagefile"}, {"copies": 2}, {"copies": 0}):
        is_error(upload(client, good, **how), 400)
    text_only = b'--b\r\nContent-Disposition: form-data; name="imageFile"\r\n\r\nno file\r\n--b--\r\n'
    is_error(client.post("/images/upload", text_only, headers={"Content-Type": "multipart/form-data; boundary=b"}), 400)
    with_text = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n' + pictures.form(good, boundary="b")[0]
    assert client.post("/images/upload", with_text, headers={"Content-Type": "multipart/form-data; boundary=b"}).status == 201
    for headers, body in [({"Content-Type": "application/json"}, b"{}"), ({"Content-Type": "image/png"}, good), ({}, b""), ({"Content-Type": "multipart/form-data"}, good),
                          ({"Content-Type": "multipart/form-data; boundary=b"}, b""), ({"Content-Type": "multipart/form-data; boundary=b"}, with_text[:-9])]:
        is_error(client.post("/images/upload", body, headers=headers), 400)


def hostile_files(shop):
    """None is served as anything but a picture without its sting, and none costs memory."""
    client = shop.client()
    files = pictures.hostile()
    assert len(files) >= 60, len(files)
    before = shop.resident_mb() if shop.mode == "one process" else 0
    refused = 0
    for name, (data, accepted) in files.items():
        answer = upload(client, data)
        if not accepted:
            is_error(answer, 400)
            refused += 1
            continue
        assert answer.status == 201, (name, answer)
        got = client.get("/images/" + answer.json()["filename"])
        assert got.status == 200 and got.headers["Content-Type"] == TYPES[answer.json()["filename"].rsplit(".")[-1]], (name, got)
        fixed_fields(got, got.headers["Content-Type"])
        assert len(got.body) == answer.json()["size"]
        assert not any(sting in got.body for sting in STING), name
    if shop.mode == "one process":
        risen = shop.resident_mb() - before
        assert risen <= 64, f"{risen:.0f} MB more"
    print(f"  {len(files)} hostile files: {refused} refused, {len(files) - refused} served without their sting")


def hostile_paths(shop):
    """None leaves the folder: raw bytes on the socket, so that no library tidies them."""
    name = upload(shop.client(), pictures.png()).json()["filename"]
    paths = ["/images/../VERSION", "/images/..%2fVERSION", "/images/%2e%2e/VERSION", "/images/%2e%2e%2fVERSION", "/images/..%5cVERSION", "/images/..\\VERSION",
             "/images/..;/VERSION", "/images/....//VERSION", "/images/.%00./VERSION", "/images/%00", f"/images/{name}%00", f"/images/{name}%00.html",
             f"/images/{name}/", f"/images/{name}/..", f"/images//{name}", f"/images/./{name}", f"/images/%2e/{name}", "/images//etc/passwd", "/images/%2fetc%2fpasswd",
             "/images/file:///etc/passwd", "/images/%252e%252e%252fVERSION", "/images/%c0%ae%c0%ae/VERSION", "/images/%c0%af", "/images/..%c0%afVERSION",
             "/images/%ff%fe", "/images/.", "/images/..", "/images/%2e", "/images/%2e%2e", "/images/", "/images", "/images/images/../../VERSION", "/images/lock",
             "/images/.upload-x", "/images/control.sock", "/images/" + "a" * 5000, "/images/" + "../" * 500 + "etc/passwd", f"/images/{name.upper()}",
             f"/images/{name}%20", f"/images/{name}%0d%0aX-Evil:1", f"/images/{name}?../../VERSION", "/images/CON", "/images/images/images/" + name, "/images/*"]
    assert len(paths) >= 40
    allowed = {400, 404, 405, 414, 431}
    for path in paths:
        with socket.create_connection((shop.host, shop.port), timeout=10) as raw:
            raw.sendall(b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := raw.recv(65536):
                answer += piece
        status = int(answer.split(b" ", 2)[1])
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"x-evil" not in head.lower(), path
        if status == 200:  # the picture itself, under a spelling that means the same
            assert body == pictures.png() and b"Content-Type: image/png" in head, (path, answer[:400])
            continue
        assert status in allowed, (path, answer[:400])
        assert b"root:" not in body, path
    print(f"  {len(paths)} hostile paths: none left the folder")


def limits():
    """From one address at least 50 pictures a minute, then 429 with Retry-After; what is refused does not use them up."""
    with OneProcess(demo=False) as shop:
        client = shop.client()
        for _ in range(60):
            assert upload(client, b"no picture").status == 400
        statuses = [upload(client, pictures.png(seed=i)).status for i in range(51)]
        assert statuses == [201] * 50 + [429], statuses
        answer = upload(client, pictures.png())
        assert is_error(answer, 429)["code"] == "RATE_LIMITED" and int(answer.headers["Retry-After"]) > 0
        assert client.get(f"/images/{uuid.uuid4()}.png").status == 404, "reading is not limited"
    with OneProcess(demo=False, environment={"UPLOADS_PER_MINUTE": "3"}) as shop:
        statuses = [upload(shop.client(), pictures.png(seed=i)).status for i in range(4)]
        assert statuses == [201] * 3 + [429], statuses


def promises():
    """Who announces megabytes and sends none takes no memory; beyond 48 MiB announced, 503. An honest visitor still gets in."""
    with OneProcess(demo=False) as shop:
        before, waiting = shop.resident_mb(), []
        try:
            for _ in range(100):
                raw = socket.create_connection((shop.host, shop.port), timeout=10)
                raw.sendall(b"POST /images/upload HTTP/1.1\r\nHost: shop\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n--b\r\n")
                waiting.append(raw)
            answered, end = {}, time.monotonic() + 10
            while len(answered) < 90 and time.monotonic() < end:
                for raw in select.select(waiting, [], [], 1)[0]:
                    answered.setdefault(raw, raw.recv(65536))
            assert len(answered) == 90 and all(answer.startswith(b"HTTP/1.1 503 ") for answer in answered.values()), len(answered)
            assert upload(shop.client(), pictures.png()).status == 201
            risen = shop.resident_mb() - before
            assert risen <= 64, f"{risen:.0f} MB more"
        finally:
            for raw in waiting:
                raw.close()
        assert upload(shop.client(), pictures.png() + bytes(4_000_000)).status == 201


def name_of(data):
    digest = bytearray(hashlib.sha256(data).digest()[:16])
    digest[6], digest[8] = 0x80 | digest[6] & 0x0F, 0x80 | digest[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(digest)))


def replica(folder, base="http://shop.test/", uploads=100_000):
    return Alone("image-service", "--upload-dir", folder, "--image-base-url", base, "--uploads-per-minute", uploads, "--upload-attempts-per-minute", 100_000)


class BehindGateway(Running):
    """api-gateway and image-service as processes, for what streams through a proxy."""

    mode = "gateway and image-service"

    def __enter__(self):
        self.folder, self.port = tempfile.TemporaryDirectory(prefix="shop-images-"), free_port()
        self.images = replica(self.folder.name, f"http://localhost:{self.port}")
        self.gateway = Alone("api-gateway", "--image-service-url", f"127.0.0.1:{self.images.port}", port=self.port)
        return self

    def __exit__(self, *_):
        codes = [self.gateway.close(), self.images.close()]
        self.folder.cleanup()
        assert codes == [0, 0], codes


def send_until_gone(service, worker, acknowledged):
    client = service.client()
    for i in range(100_000):
        data = pictures.png(40, 40, seed=0, extra=pictures.chunk(b"pHYs", f"{worker:03}{i:06}".encode()))
        body, headers = pictures.form(data)
        try:
            answer = client.post("/upload", body, headers=headers)
        except OSError:
            return
        except Exception:  # a reply cut in the middle acknowledges nothing
            return
        if answer.status == 201:
            acknowledged[answer.json()["filename"]] = data


def whole_or_not_at_all():
    """Two replicas on one folder, killed in the middle of uploads: what was acknowledged is there, and nothing else half."""
    with tempfile.TemporaryDirectory(prefix="shop-images-") as folder:
        acknowledged = {}
        for _ in range(3):
            replicas = [replica(folder), replica(folder)]
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                for worker in range(6):
                    pool.submit(send_until_gone, replicas[worker % 2], worker, acknowledged)
                time.sleep(0.5)
                for each in replicas:
                    each.kill()
        names = {path.name for path in pathlib.Path(folder).iterdir() if not path.name.startswith(".")}
        assert len(acknowledged) > 20, len(acknowledged)
        assert set(acknowledged) <= names, "an acknowledged picture is missing"
        for name in names:
            data = (pathlib.Path(folder) / name).read_bytes()
            assert name_of(data) == name[:36], f"{name} is not whole"
        with replica(folder) as last:
            client = last.client()
            some = next(iter(acknowledged))
            for path in ("/" + some, "/images/" + some):
                got = client.get(path)
                assert got.status == 200 and got.body == acknowledged[some], path
            body, headers = pictures.form(pictures.png())
            assert client.post("/upload", body, headers=headers).json()["imageUrl"].startswith("http://shop.test/images/")
            (pathlib.Path(folder) / (str(uuid.uuid4()) + ".png")).symlink_to("/etc/passwd")
            for path in pathlib.Path(folder).iterdir():
                if path.is_symlink():
                    assert client.get("/" + path.name).status == 404, "a link is not followed"
            assert client.get("/health").json()["dependencies"] == {"storage": "UP"}
            assert last.close() == 0, "a drained process ends with 0"
        print(f"  {len(acknowledged)} uploads acknowledged across 3 kills of both replicas, {len(names)} files, all whole")


def demo_pictures(shop):
    """Every picture of the demo catalogue can be fetched through the gateway, byte for byte as it was drawn."""
    sources = {hashlib.sha256(path.read_bytes()).digest() for path in (ROOT / "demo" / "images").iterdir()}
    client = shop.client()
    seen = set()
    for page in range(1, 20):
        products = client.get(f"/products?limit=100&page={page}").json()["data"]
        for product in products:
            assert product["images"], product["sku"]
            for image in product["images"]:
                got = client.get(urllib.parse.urlsplit(image["imageUrl"]).path)
                assert got.status == 200 and hashlib.sha256(got.body).digest() in sources, image
                seen.add(image["imageUrl"])
        if len(products) < 100:
            break
    assert len(seen) >= 40, len(seen)


def main():
    with opened() as shop:
        through_the_gateway(shop)
        forms(shop)
        demo_pictures(shop)
        hostile_paths(shop)
    with opened(demo=False) as shop:
        hostile_files(shop)
    with BehindGateway() as shop:
        through_the_gateway(shop)
        forms(shop)
        hostile_paths(shop)
    limits()
    promises()
    whole_or_not_at_all()
    print("Pictures are judged, served and kept as promised.")


if __name__ == "__main__":
    main()
