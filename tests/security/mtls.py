#!/usr/bin/env python3
"""Mutual TLS between services: tests/security/mtls.py [--measure REQUESTS]

A product-service with TLS, a gateway in front of it, and a second, plain product-service to compare the cost with. Strangers of every kind
are let in nowhere; certificates are renewed every second under load and no request is lost.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from shop import ended, eventually, free_port, program, resident_mb  # noqa: E402

TOKEN = "a-token-for-services-only"
START_LIMIT_S = 60
HANDSHAKE_LIMIT_S = 5


def shopctl(*arguments):
    return subprocess.run([program("shopctl"), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def certify(folder, *arguments):
    done = shopctl("certs", "--dir", folder, *arguments)
    assert done.returncode == 0, f"shopctl certs: {done}"
    return folder


class Process:
    """A service as its own process."""

    def __init__(self, folder, service, port=None, **environment):
        self.service, self.port = service, port or free_port()
        self.log = folder / f"{service}-{self.port}.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([program(service)], stdout=log, stderr=log, env={**kept, "PORT": str(self.port), "BIND": "127.0.0.1", **environment})

    def wait_ready(self, port):
        def ready():
            assert self.process.poll() is None, f"{self.service} ended with {self.process.returncode}: {self.said()[-800:]}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                return plain(port, "/health/ready")[0] == 200

        eventually(ready, START_LIMIT_S)
        return self

    def said(self):
        return self.log.read_text(errors="replace")

    def cpu_s(self):
        """Of all its threads, to the nanosecond."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident_mb(self):
        return resident_mb(self.process.pid)

    def end(self):
        return ended(self.process, 20)


def tls_files(folder, service):
    return {"TLS_CERT_FILE": str(folder / f"{service}.pem"), "TLS_KEY_FILE": str(folder / f"{service}-key.pem"), "TLS_CA_FILE": str(folder / "ca.pem")}


def plain(port, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def context_of(folder=None, service=None, authority=None):
    """TLS as a caller speaks it; the server's certificate is judged by CA alone, as a name means nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority or folder / "ca.pem")
    if service:
        context.load_cert_chain(folder / f"{service}.pem", folder / f"{service}-key.pem")
    return context


def secured(context, port, timeout=10):
    raw = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    try:
        return context.wrap_socket(raw)
    except BaseException:
        raw.close()
        raise


def ask(context, port, path, headers=None):
    """(status, body, serial number of the server's certificate); (0, why, "") when nobody answers."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.sock = secured(context, port)
        try:
            serial = connection.sock.getpeercert()["serialNumber"]
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), serial
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error), ""


def issue(folder, name, extension, days, authority):
    """A certificate that shopctl would never make."""
    request, told = folder / f"{name}.csr", folder / f"{name}.ext"
    told.write_text(extension)
    for command in (["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", folder / f"{name}-key.pem", "-out", request],
                    ["openssl", "x509", "-req", "-in", request, "-CA", authority / "ca.pem", "-CAkey", authority / "ca-key.pem", "-days", str(days),
                     "-extfile", told, "-out", folder / f"{name}.pem"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    with open(folder / f"{name}.pem", "a") as out:
        out.write((authority / "ca.pem").read_text())  # sent along: the whole way up
    return context_of(folder, name, authority / "ca.pem")


class World:
    def __init__(self, folder):
        self.folder = folder
        self.tls = certify(folder / "tls")
        self.health = free_port()
        self.processes = []
        self.product = self.start("product-service", HEALTH_PORT=str(self.health), DATABASE_URL=f"sqlite:{folder}/secured.db",
                                  KAFKA_BROKERS="127.0.0.1:1", AUTH_SERVICE_URL="127.0.0.1:1", **tls_files(self.tls, "product-service"))
        self.plain = self.start("product-service", INTERNAL_TOKEN=TOKEN, DATABASE_URL=f"sqlite:{folder}/plain.db", KAFKA_BROKERS="127.0.0.1:1",
                                AUTH_SERVICE_URL="127.0.0.1:1")
        self.gateway = self.start("api-gateway", PRODUCT_SERVICE_URL=f"127.0.0.1:{self.product.port}", **tls_files(self.tls, "api-gateway"))
        self.product.wait_ready(self.health)
        self.plain.wait_ready(self.plain.port)
        self.gateway.wait_ready(self.gateway.port)
        self.friend = context_of(self.tls, "shopctl")

    def start(self, service, **environment):
        self.processes.append(Process(self.folder, service, **environment))
        return self.processes[-1]

    def end(self):
        return [process.end() for process in self.processes]


def certificates_made(world):
    """Files for their owner alone, whole or not at all, under one CA; wrong use is refused with a sentence."""
    folder = certify(world.folder / "made", "--days", 3, "cart-service")
    assert sorted(f.name for f in folder.iterdir()) == ["ca-key.pem", "ca.pem", "cart-service-key.pem", "cart-service.pem"], list(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700 and all(f.stat().st_mode & 0o777 == 0o600 for f in folder.iterdir())
    shown = subprocess.run(["openssl", "x509", "-in", folder / "cart-service.pem", "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    for part in ("URI:spiffe://shop/cart-service", "prime256v1", "CA:FALSE", "TLS Web Server Authentication, TLS Web Client Authentication"):
        assert part in shown, f"{part} is not in {shown}"
    assert subprocess.run(["openssl", "x509", "-in", folder / "cart-service.pem", "-noout", "-checkend", str(3 * 86400 + 60)], capture_output=True).returncode == 1
    assert subprocess.run(["openssl", "x509", "-in", folder / "cart-service.pem", "-noout", "-checkend", str(3 * 86400 - 600)], capture_output=True).returncode == 0
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    certify(folder, "cart-service")
    after = {f.name: f.read_bytes() for f in folder.iterdir()}
    assert {n for n in before if before[n] != after[n]} == {"cart-service.pem", "cart-service-key.pem"}, "a renewal changes the CA, or not the certificate"
    for arguments, word in ((("../x",), "../x"), (("Cart",), "Cart"), (("a,URI:spiffe://shop/shopctl",), "no name of a service")):
        done = shopctl("certs", "--dir", folder, *arguments)
        assert done.returncode == 1 and word in done.stderr, done
    assert shopctl("certs", "--dir", folder, "--days", 0).returncode == 2 and shopctl("certs").returncode == 2
    (folder / "ca-key.pem").unlink()
    done = shopctl("certs", "--dir", folder)
    assert done.returncode == 1 and "ca-key.pem" in done.stderr and (folder / "ca.pem").read_bytes() == after["ca.pem"], done


def settings_refused(world):
    """What cannot work stops the start with one sentence."""
    files = tls_files(world.tls, "cart-service")
    base = {"REDIS_URL": "memory:", "LOG_LEVEL": "off"}
    other = certify(world.folder / "other-settings")
    cases = [({k: v for k, v in files.items() if k != without}, without) for without in files]
    cases += [({**files, "TLS_CERT_FILE": "/no/such/file"}, "TLS_CERT_FILE"), ({**files, "TLS_KEY_FILE": files["TLS_CERT_FILE"]}, "private key"),
              ({**files, "TLS_KEY_FILE": str(other / "cart-service-key.pem")}, "is not that of"), (tls_files(world.tls, "order-service"), "spiffe://shop/order-service"),
              ({**files, "TLS_CA_FILE": str(other / "ca.pem")}, "not one that others take"), ({**files, "TLS_ALLOW": "api-gateway,../x"}, "TLS_ALLOW"),
              ({**files, "CONSUL_AGENT_HOST": "127.0.0.1"}, "HEALTH_PORT"), ({}, "INTERNAL_TOKEN")]
    for environment, word in cases:
        process = world.start("cart-service", **base, **environment)
        code = process.process.wait(20)
        said = process.said().strip().splitlines()
        assert code in (1, 2) and len(said) == 1 and word in said[0], f"{environment}: exit code {code}, said {said}, not {word}"


def strangers_stay_out(world):
    """0 of them get anything; who is of the house but not expected gets 403."""
    folder, other = world.folder / "strangers", certify(world.folder / "other")
    folder.mkdir()
    port = world.product.port
    bare = context_of(authority=world.tls / "ca.pem")
    san = "subjectAltName=URI:spiffe://shop/"
    usage = "\nextendedKeyUsage=serverAuth,clientAuth\n"
    old = context_of(world.tls, "shopctl")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    strangers = {
        "no certificate": bare,
        "another CA": context_of(other, "shopctl", world.tls / "ca.pem"),
        "expired": issue(folder, "expired", f"{san}api-gateway{usage}", -1, world.tls),
        "no name": issue(folder, "nameless", f"basicConstraints=CA:FALSE{usage}", 5, world.tls),
        "a host's name": issue(folder, "host", f"subjectAltName=DNS:api-gateway{usage}", 5, world.tls),
        "another domain": issue(folder, "domain", f"subjectAltName=URI:spiffe://other/api-gateway{usage}", 5, world.tls),
        "two names": issue(folder, "two", f"{san}nobody,URI:spiffe://shop/api-gateway{usage}", 5, world.tls),
        "a path": issue(folder, "path", f"{san}api-gateway/x{usage}", 5, world.tls),
        "for servers only": issue(folder, "servers", f"{san}api-gateway\nextendedKeyUsage=serverAuth\n", 5, world.tls),
        "signed by a service": issue(folder, "child", f"{san}api-gateway{usage}", 5, signing_service(world, folder)),
        "TLS 1.2": old,
    }
    for name, context in strangers.items():
        for path in ("/health", "/?limit=1"):
            status, said, _ = ask(context, port, path)
            assert status == 0, f"{name}: {path} was answered {status} {said}"
    for who in ("auth-service", "image-service"):  # of the house, not callers
        status, said, _ = ask(context_of(world.tls, who), port, "/?limit=1")
        assert status == 403 and json.loads(said)["code"] == "FORBIDDEN", f"{who}: {status} {said}"
    for who in ("api-gateway", "cart-service", "search-service", "order-service", "product-service", "shopctl"):
        status, said, _ = ask(context_of(world.tls, who), port, "/?limit=1")
        assert status == 200, f"{who}: {status} {said}"
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    begun, got = time.monotonic(), b""
    with raw, contextlib.suppress(ConnectionError):
        while piece := raw.recv(4096):
            got += piece
    assert b"HTTP/" not in got and time.monotonic() - begun < 3, f"plain HTTP got {got!r} after {time.monotonic() - begun:.1f} s"
    metrics = plain(world.health, "/metrics")[1].decode()
    counted = float(next(line for line in metrics.splitlines() if line.startswith("tls_strangers_total")).split()[-1])
    assert counted >= 2 * len(strangers) + 1, f"{counted} strangers were counted"
    said = world.product.said()
    assert "a connection was refused" in said
    assert ask(world.friend, port, "/health")[0] == 200, "the service is not well after that"


def signing_service(world, folder):
    """A service's own certificate and key, used as if they were a CA's."""
    authority = folder / "authority"
    authority.mkdir()
    shutil.copy(world.tls / "cart-service.pem", authority / "ca.pem")
    shutil.copy(world.tls / "cart-service-key.pem", authority / "ca-key.pem")
    return authority


def headers_mean_nothing(world):
    """Who calls is what the certificate says."""
    claims = {"X-Internal-Service": "shopctl", "X-Internal-Token": TOKEN}
    body = {"Content-Type": "application/json", **claims}
    status, said = post(context_of(world.tls, "api-gateway"), world.product.port, "/categories", {"name": {"en": "Claimed"}, "slug": "claimed"}, body)
    assert status == 401, f"a gateway that claims to be shopctl: {status} {said}"
    status, said = post(context_of(world.tls, "cart-service"), world.product.port, "/categories", {"name": {"en": "Claimed"}, "slug": "claimed"}, body)
    assert status == 401, f"a cart-service that claims to be shopctl: {status} {said}"
    status, said = post(world.friend, world.product.port, "/categories", {"name": {"en": "Real"}, "slug": "real"}, {"Content-Type": "application/json", "X-Internal-Service": "nobody"})
    assert status == 201, f"shopctl by its certificate: {status} {said}"
    status, said = plain(world.gateway.port, "/products/categories", claims)
    assert status == 200 and b"Real" in said, f"through the gateway: {status} {said}"


def post(context, port, path, value, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.sock = secured(context, port)
    try:
        connection.request("POST", path, json.dumps(value), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def health_port_is_small(world):
    for path, wanted in (("/health", 200), ("/health/live", 200), ("/health/ready", 200), ("/metrics", 200), ("/", 404), ("/?limit=1", 404), ("/openapi.json", 404),
                         ("/health/../", 400), ("/internal/x", 404)):
        status, said = plain(world.health, path, {"X-Internal-Service": "shopctl", "X-Internal-Token": ""})
        assert status == wanted, f"{path} at the health port: {status} {said[:200]}"
    assert plain(world.health, "/health", method="POST")[0] == 404


@contextlib.contextmanager
def behind_a_gateway(world, folder, service):
    """A gateway, and what it believes to be a product-service: this test, with the certificate of `service`; closes after each answer."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(world.tls / "ca.pem")
    server.load_cert_chain(folder / f"{service}.pem", folder / f"{service}-key.pem")
    listener, heard = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                raw.settimeout(5)
                with contextlib.suppress(OSError), server.wrap_socket(raw, server_side=True) as connection:
                    if said := connection.recv(4096):
                        heard.append((said, connection.session_reused, connection.getpeercert()["subjectAltName"]))
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    thread = threading.Thread(target=serve)
    thread.start()
    gateway = world.start("api-gateway", PRODUCT_SERVICE_URL=f"127.0.0.1:{listener.getsockname()[1]}", **tls_files(world.tls, "api-gateway"))
    try:
        yield gateway.wait_ready(gateway.port), heard
    finally:
        gateway.end()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def wrong_servers_are_left(world):
    """The gateway sends nothing to one who is not who should be there."""
    for service, folder in (("cart-service", world.tls), ("product-service", certify(world.folder / "other-server"))):
        with behind_a_gateway(world, folder, service) as (gateway, heard):
            status, said = plain(gateway.port, "/products?limit=1", {"Authorization": "Bearer secret"})
            assert status == 503 and not heard, f"{service} of {folder.name} in place of product-service: {status} {said}, it heard {heard}"


def sessions_are_taken_up_again(world):
    """By a caller of ours, and with a service of ours: a second connection needs no certificates to be judged again."""
    with behind_a_gateway(world, world.tls, "product-service") as (gateway, heard):
        for _ in range(3):
            assert plain(gateway.port, "/products?limit=1")[0] == 200
        assert [reused for _, reused, _ in heard] == [False, True, True], heard
        assert {names for _, _, names in heard} == {(("URI", "spiffe://shop/api-gateway"),)}, heard
    context, session = context_of(world.tls, "cart-service"), None
    for reused in (False, True):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", world.product.port), timeout=10), session=session) as connection:
            connection.sendall(b"GET /?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in connection.recv(65536) and connection.session_reused == reused, f"taken up again: {connection.session_reused}"
            session = connection.session
    with context_of(world.tls, "auth-service").wrap_socket(socket.create_connection(("127.0.0.1", world.product.port), timeout=10)) as connection:
        connection.sendall(b"GET /?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 403 " in connection.recv(65536)


def slow_handshakes_are_cut(world):
    """Nothing at all, half a record, and a byte a second: each is gone soon after the limit, and nobody else notices."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 300
    took = {}

    def wait_for_end(name, first, drip):
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", world.product.port), timeout=1) as raw, contextlib.suppress(ConnectionError):
            raw.sendall(first)
            while time.monotonic() - begun < 3 * HANDSHAKE_LIMIT_S:
                with contextlib.suppress(TimeoutError):
                    if not raw.recv(4096):
                        break
                if drip:
                    raw.sendall(b"x")
        took[name] = time.monotonic() - begun

    threads = [threading.Thread(target=wait_for_end, args=case) for case in (("silent", b"", False), ("half", hello[:100], False), ("dripping", hello[:20], True))]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        begun = time.monotonic()
        assert ask(world.friend, world.product.port, "/health")[0] == 200 and time.monotonic() - begun < 3
        time.sleep(0.1)
    for name, seconds in took.items():
        assert HANDSHAKE_LIMIT_S - 1 < seconds < HANDSHAKE_LIMIT_S + 6, f"{name}: cut after {seconds:.1f} s"


def rotation_loses_nothing(world, seconds=8):
    """New certificates for everybody every second: every request is answered, kept connections go on, new ones see the new certificate."""
    stop, failures, served = threading.Event(), [], {"gateway": 0, "new": 0, "kept": 0}
    own = world.folder / "kept-certificate"
    own.mkdir()
    for name in ("ca.pem", "shopctl.pem", "shopctl-key.pem"):
        shutil.copy(world.tls / name, own / name)
    serials = set()

    def through_gateway(begin_after):
        if stop.wait(begin_after):
            return
        connection = http.client.HTTPConnection("127.0.0.1", world.gateway.port, timeout=10)
        while not stop.is_set():
            ask_one("gateway", connection)
        connection.close()

    def ask_one(kind, connection):
        path = "/products?limit=1" if kind == "gateway" else "/?limit=1"
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                failures.append((kind, answer.status, said[:200]))
        except (OSError, http.client.HTTPException) as error:
            failures.append((kind, repr(error), ""))
            connection.close()
        served[kind] += 1

    def always_new():
        context = context_of(own, "shopctl")
        while not stop.is_set():
            status, said, serial = ask(context, world.product.port, "/?limit=1")
            serials.add(serial)
            served["new"] += 1
            if status != 200:
                failures.append(("new", status, said))

    def kept():
        connection = http.client.HTTPConnection("127.0.0.1", world.product.port, timeout=10)
        connection.sock = secured(context_of(own, "shopctl"), world.product.port)
        first = connection.sock
        while not stop.wait(0.01):
            ask_one("kept", connection)
        if connection.sock is not first:
            failures.append(("kept", "the connection was closed", ""))
        connection.close()

    threads = [threading.Thread(target=through_gateway, args=(i,)) for i in range(seconds)]  # one more each second: new connections behind the gateway
    threads += [threading.Thread(target=always_new), threading.Thread(target=kept)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(seconds):
            certify(world.tls)
            time.sleep(1)
        newest = subprocess.run(["openssl", "x509", "-in", world.tls / "product-service.pem", "-noout", "-serial"], capture_output=True, text=True, check=True)
        newest = newest.stdout.strip().split("=")[1]
        eventually(lambda: ask(context_of(own, "shopctl"), world.product.port, "/health")[2].lstrip("0") == newest.lstrip("0"), 5)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not failures, f"{len(failures)} of {served} failed: {failures[:5]}"
    assert min(served.values()) >= 50 and len(serials) >= seconds - 2, f"served {served}, certificates seen {len(serials)}"
    print(f"  rotation: {served} requests, {len(serials)} certificates seen, 0 failures")


def half_a_rotation(world):
    """A key without its certificate, rubbish, an expired one: the last good ones stay in use, and the log says why."""
    kept = {name: (world.tls / name).read_bytes() for name in ("product-service.pem", "product-service-key.pem")}
    other = certify(world.folder / "half")
    for name, text in (("product-service-key.pem", (other / "product-service-key.pem").read_bytes()), ("product-service.pem", b"rubbish"), ("product-service.pem", b"")):
        (world.tls / f"{name}.part").write_bytes(text)
        (world.tls / f"{name}.part").replace(world.tls / name)
        time.sleep(0.8)
        assert ask(world.friend, world.product.port, "/health")[0] == 200, f"{name} of {text[:20]!r}"
    eventually(lambda: "holds no certificate" in world.product.said() or "is not that of the certificate" in world.product.said(), 5)
    for name, text in kept.items():
        (world.tls / name).write_bytes(text)
    eventually(lambda: "works again" in world.product.said(), 5)


def cost(world, requests):
    """CPU of the service for a request on a kept connection, TLS beside plain, in turns; and memory of a thousand idle connections."""
    path = "/?limit=20"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    def run(process, wrap, count):
        connection = wrap()
        with connection:
            before = process.cpu_s()
            for _ in range(count):
                connection.sendall(head)
                got = connection.recv(65536)
                while b"\r\n\r\n" not in got or len(got) < got.index(b"\r\n\r\n") + 4 + length_in(got):
                    got += connection.recv(65536)
            return process.cpu_s() - before

    def length_in(got):
        return int(got.split(b"Content-Length: ")[1].split(b"\r\n")[0])

    sides = {"plain": (world.plain, lambda: socket.create_connection(("127.0.0.1", world.plain.port), timeout=10)),
             "TLS": (world.product, lambda: secured(world.friend, world.product.port))}
    for process, wrap in sides.values():
        run(process, wrap, 200)
    per_round = 200
    spent = {name: [] for name in sides}
    for _ in range(requests // per_round):
        for name, (process, wrap) in sides.items():
            spent[name].append(run(process, wrap, per_round) / per_round * 1e6)
    best = {name: min(values) for name, values in spent.items()}  # what others do at the time only ever adds
    ratio = best["TLS"] / best["plain"]
    before = world.product.resident_mb()
    idle = [secured(world.friend, world.product.port) for _ in range(300)]
    ask(world.friend, world.product.port, "/health")
    each = (world.product.resident_mb() - before) * 1024 / len(idle)
    for connection in idle:
        connection.close()
    print(f"  cost: {best['TLS']:.1f} us of CPU a request with TLS, {best['plain']:.1f} plain: {ratio:.2f}; {each:.0f} KB for an idle connection")
    return ratio


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--measure", type=int, default=0, metavar="REQUESTS", help="the cost alone, of so many requests")
    options = arguments.parse_args()
    if not shutil.which("openssl"):
        sys.exit("openssl is missing: scripts/install-packages test installs it.")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-mtls-"))
    world = None
    try:
        world = World(folder)
        if options.measure:
            cost(world, options.measure)
            return 0
        for part in (certificates_made, settings_refused, health_port_is_small, strangers_stay_out, headers_mean_nothing, wrong_servers_are_left,
                     sessions_are_taken_up_again, slow_handshakes_are_cut, rotation_loses_nothing, half_a_rotation):
            begun = time.monotonic()
            part(world)
            print(f"{part.__name__:24} {time.monotonic() - begun:.2f} s", flush=True)
        return 0
    finally:
        if world:
            world.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
