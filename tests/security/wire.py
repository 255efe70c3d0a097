"""What the attacks have in common: bytes on a socket, an HTTP reader that is strict, and a small runner.

The reader is written from RFC 9112 alone and shares nothing with the servers it judges: it says what one careful origin would
make of a stream of bytes. Standard library only.
"""
import json
import pathlib
import re
import socket
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

CRLF = b"\r\n"


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


class Connection:
    """Raw bytes to 127.0.0.1:port."""

    def __init__(self, port, timeout=10, source=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def send(self, data):
        self.socket.sendall(as_bytes(data))
        return self

    def end(self):
        """Nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def rest(self, limit=64 * 1024 * 1024):
        """Everything until the other end closes; a reset counts as an end."""
        while len(self.data) < limit:
            try:
                got = self.socket.recv(65536)
            except ConnectionError:
                break
            if not got:
                break
            self.data += got
        self.close()
        return self.data

    def answer(self, head_only=False):
        """The next complete answer as (status, headers, body); None at the end of the stream."""
        while True:
            found = first_answer(self.data, head_only)
            if found:
                status, headers, body, used = found
                self.data = self.data[used:]
                return status, headers, body
            got = self.socket.recv(65536)
            if not got:
                return None
            self.data += got

    def closed(self, limit_s=5):
        """Whether the other end closes (cleanly or by reset) within the time, sending nothing more."""
        self.socket.settimeout(limit_s)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def first_answer(data, head_only=False):
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(CRLF)
    status = int(lines[0].split(b" ")[1])
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
    at = end + 4
    if 100 <= status < 200 or status in (204, 304) or head_only:
        return status, headers, b"", at
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            line_end = data.find(CRLF, at)
            if line_end < 0:
                return None
            size = int(data[at:line_end], 16)
            if len(data) < line_end + 2 + size + 2:
                return None
            body += data[line_end + 2:line_end + 2 + size]
            at = line_end + 2 + size + 2
            if size == 0:
                return status, headers, body, at
    length = int(headers.get("content-length", 0))
    if len(data) < at + length:
        return None
    return status, headers, data[at:at + length], at + length


def answers(data):
    """All complete answers in the bytes, and whether bytes are left over."""
    found = []
    while data:
        one = first_answer(data)
        if not one:
            break
        found.append(one[:3])
        data = data[one[3]:]
    return found, data


# --- the strict reader

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
TARGET = re.compile(rb"[\x21-\x7e]+\Z")
HOST = re.compile(rb"[A-Za-z0-9._~:\[\]-]{1,255}\Z")
DIGITS = re.compile(rb"[0-9]{1,15}\Z")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})((?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?)\Z")


class Bad(Exception):
    """No careful origin would take this for a request."""


class Incomplete(Exception):
    """More bytes are needed."""


def read_request(data):
    """(request, bytes used); request = {method, target, headers: [(lower name, value)], body}. Raises Bad or Incomplete."""
    end = data.find(b"\r\n\r\n")
    head = data if end < 0 else data[:end]
    if end < 0:
        raise Incomplete
    lines = head.split(CRLF)
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not TOKEN.match(parts[0]) or not TARGET.match(parts[1]) or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Bad("request line")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Bad("field")
        headers.append((name.lower(), value))
    named = lambda wanted: [value for name, value in headers if name == wanted]
    hosts, lengths, codings = named(b"host"), named(b"content-length"), named(b"transfer-encoding")
    if len(hosts) != 1 or not HOST.match(hosts[0]):
        raise Bad("host")
    if len(lengths) + len(codings) > 1:
        raise Bad("framing")
    at, body = end + 4, b""
    if codings:
        if codings[0] != b"chunked" or parts[2] == b"HTTP/1.0":
            raise Bad("transfer coding")
        body, at = read_chunks(data, at)
    elif lengths:
        if not DIGITS.match(lengths[0]):
            raise Bad("length")
        length = int(lengths[0])
        if len(data) < at + length:
            raise Incomplete
        body, at = data[at:at + length], at + length
    return {"method": parts[0], "target": parts[1], "version": parts[2], "headers": headers, "body": body}, at


def read_chunks(data, at):
    body = b""
    while True:
        line_end = data.find(CRLF, at)
        if line_end < 0:
            if b"\n" in data[at:] or len(data) - at > 4096:
                raise Bad("chunk head")
            raise Incomplete
        found = CHUNK.match(data[at:line_end])
        if not found:
            raise Bad("chunk head")
        size, at = int(found[1], 16), line_end + 2
        if size == 0:
            break
        if len(data) < at + size + 2:
            raise Incomplete
        if data[at + size:at + size + 2] != CRLF:
            raise Bad("chunk end")
        body, at = body + data[at:at + size], at + size + 2
    while True:
        line_end = data.find(CRLF, at)
        if line_end < 0:
            raise Incomplete
        line, at = data[at:line_end], line_end + 2
        if not line:
            return body, at
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Bad("trailer")


def read_stream(data):
    """The requests in the bytes, and how it ends: 'clean', 'bad' or 'incomplete'."""
    requests = []
    while data:
        try:
            request, used = read_request(data)
        except Bad:
            return requests, "bad"
        except Incomplete:
            return requests, "incomplete"
        requests.append(request)
        data = data[used:]
    return requests, "clean"


# --- runner

class Checks:
    """Runs functions one after another, says which failed and why; `done()` is the exit code."""

    def __init__(self, title):
        self.title, self.failed, self.passed, self.begun = title, [], 0, time.monotonic()

    def run(self, function, *arguments):
        name = (function.__doc__ or function.__name__).strip().splitlines()[0]
        start = time.monotonic()
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001 - every failure is told, none ends the run
            self.failed.append(name)
            text = str(error) or "".join(traceback.format_exception_only(error)).strip()
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"  FAILED {name}\n         {pathlib.Path(where.filename).name}:{where.lineno}: {text[:3000]}", flush=True)
            return
        self.passed += 1
        took = time.monotonic() - start
        if took > 2:
            print(f"  {name}: {took:.1f} s", flush=True)

    def done(self):
        took = time.monotonic() - self.begun
        print(f"{self.title}: {self.passed} checks passed, {len(self.failed)} failed ({took:.1f} s)", flush=True)
        return 1 if self.failed or not self.passed else 0


def expect(condition, what):
    if not condition:
        raise AssertionError(what() if callable(what) else what)


def administrator(shop):
    """An administrator's client; the account is made where the shop has none yet."""
    import shop as library

    email, password = library.ADMIN
    client = shop.client()
    if client.post("/auth/login", {"email": email, "password": password}).status != 200:
        made = shop.shopctl("create-admin", email, password)
        expect(made.returncode == 0, f"create-admin: {made.stderr}")
    return client.log_in(email, password)


def metric(text, name, **labels):
    """The sum of a metric's samples whose labels include those given."""
    total, found = 0.0, False
    for line in text.splitlines():
        if not line.startswith((name + "{", name + " ")):
            continue
        if all(f'{key}="{value}"' in line for key, value in labels.items()):
            total, found = total + float(line.rsplit(" ", 1)[1]), True
    return total if found else None


def message_of(body):
    """The `message` of a JSON answer; None when there is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value.get("message") if isinstance(value, dict) else None
