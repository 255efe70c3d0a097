"""Starts a shop for a test, talks to it, and leaves nothing behind.

    from shop import OneProcess, Client
    with OneProcess(demo=True) as shop:
        answer = shop.client().get("/products?limit=5")
        assert answer.status == 200, answer

Tests that run against either mode take what `opened()` gives: a shop in one process, or, when SHOP_STACK names the state folder
of a stack that `scripts/up` started, that stack. Standard library only.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SHOP_BIN", ROOT / "build" / "bin"))
ADMIN = ("admin@admin.com", "password")
START_LIMIT_S = 60  # a sanitizer build on a busy machine; a release build takes a fraction of a second


def program(name):
    path = BIN / name
    if not path.exists():
        sys.exit(f"{path} is missing: run make build first.")
    return str(path)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.text[:600]}>"


class Client:
    """One visitor: a kept connection, and the token once logged in. Not for several threads at once."""

    def __init__(self, host, port, token=None, timeout=30):
        self.host, self.port, self.token, self.timeout = host, port, token, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None, token=...):
        headers = dict(headers or {})
        token = self.token if token is ... else token
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        for attempt in (1, 2):  # a kept connection may have been closed meanwhile; a new one may not
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            try:
                self.connection.request(method, path, body=body, headers=headers)
                response = self.connection.getresponse()
                return Answer(response.status, response.headers, response.read())
            except (http.client.HTTPException, ConnectionError):
                self.close()
                if fresh or attempt == 2:
                    raise
            except OSError:
                self.close()
                raise
        raise AssertionError("unreachable")

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, body, **more)

    def delete(self, path, body=None, **more):
        return self.request("DELETE", path, body, **more)

    def log_in(self, email=ADMIN[0], password=ADMIN[1]):
        answer = self.post("/auth/login", {"email": email, "password": password}, token=None)
        if answer.status != 200:
            raise AssertionError(f"{email} cannot log in: {answer}")
        self.token = answer.json()["token"]
        return self

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Running:
    """What both modes have in common: host, port, clients."""

    host, port = "127.0.0.1", 0

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def client(self, token=None, timeout=30):
        return Client(self.host, self.port, token, timeout)

    def admin(self):
        return self.client().log_in()


class OneProcess(Running):
    """`build/bin/shop` on a folder of its own. `data` given: that folder, which then stays."""

    mode = "one process"

    def __init__(self, demo=True, data=None, arguments=(), environment=None):
        self.own_folder = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="shop-test-"))
        self.demo, self.arguments, self.environment = demo, list(arguments), environment or {}
        self.process = None
        self.port = free_port()
        self.log_path = self.data.parent / f"{self.data.name}.log"

    def start(self):
        command = [program("shop"), "--port", str(self.port), "--data", str(self.data), *self.arguments]
        if self.demo:
            command.append("--demo")
        with open(self.log_path, "ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **self.environment})
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            if b"The shop is open at" in self.log_path.read_bytes()[offset:]:
                return self
            if self.process.poll() is not None:
                raise AssertionError(f"The shop ended with {self.process.returncode}:\n{self.tail()}")
            time.sleep(0.005)
        self.kill()
        raise AssertionError(f"The shop did not open within {START_LIMIT_S} s:\n{self.tail()}")

    def tail(self, lines=30):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def log_lines(self):
        """The JSON lines so far."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]

    def stop(self, limit_s=30):
        """SIGTERM; the exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"The shop did not stop within {limit_s} s:\n{self.tail()}") from None
        return self.process.returncode if self.process else None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def resident_mb(self):
        return resident_mb(self.process.pid)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def shopctl(self, *arguments, limit_s=120):
        return subprocess.run([program("shopctl"), "--data", str(self.data), *arguments], capture_output=True, text=True, timeout=limit_s)

    def internal(self, service, method, path, body=None):
        """A request past the gateway, with an operator's rights, through the control socket of the data folder."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(30)
        connection.sock.connect(str(self.data / "control.sock"))
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, f"/{service}{path}", None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind, value, trace):
        self.kill()
        if kind is not None and self.log_path.exists():
            interesting = [line for line in self.tail(400).splitlines() if '"level":"info"' not in line]
            print("--- the shop's last words\n" + "\n".join(interesting[-15:]), file=sys.stderr)
        if self.own_folder:
            shutil.rmtree(self.data, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Alone:
    """One service of build/bin on a port of its own, ready when it is made: Alone("cart-service", "--redis-url", "memory:")."""

    TOKEN = "a-token-for-services-only"

    def __init__(self, name, *arguments, port=None, environment=None):
        self.name, self.port = name, port or free_port()
        self.log = tempfile.NamedTemporaryFile(prefix=f"shop-{name}-", suffix=".log")
        command = [program(name), "--port", str(self.port), "--bind", "127.0.0.1", "--internal-token", self.TOKEN, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})})
        try:
            eventually(self.ready, START_LIMIT_S)
        except AssertionError:
            said = self.said()
            self.close()
            raise AssertionError(f"{name} did not start:\n{said[-2000:]}") from None

    def ready(self):
        assert self.process.poll() is None
        try:
            return self.client().get("/health/ready").status == 200
        except OSError:
            return False

    def client(self, timeout=30):
        return Client("127.0.0.1", self.port, timeout=timeout)

    def said(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def resident_mb(self):
        return resident_mb(self.process.pid)

    def kill(self):
        self.process.kill()
        self.close()

    def close(self):
        """Its exit code; however often."""
        code = ended(self.process)
        self.log.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and not self.log.closed:
            print(self.said()[-1500:], file=sys.stderr)
        self.close()


def ended(process, limit_s=15):
    """Tells a child to end, and sees to it; its exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


@contextlib.contextmanager
def opened(demo=True, **more):
    """A shop with demo data in the mode that the environment asks for."""
    if os.environ.get("SHOP_STACK"):
        import stack  # the distributed counterpart, in the folder of this file

        yield stack.Stack(os.environ["SHOP_STACK"])
        return
    with OneProcess(demo=demo, **more) as shop:
        yield shop


def quoted(text):
    return urllib.parse.quote(text, safe="")


def eventually(check, limit_s=10, every_s=0.02):
    """The first true value of check(); what happens shortly after an answer (index, copies) is asked for so."""
    end = time.monotonic() + limit_s
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not come true within {limit_s} s")
        time.sleep(every_s)
