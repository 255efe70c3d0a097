#!/usr/bin/env python3
"""Runs scenarios, texts that anyone reads, against a shop: tests/scenario/run.py [--list] [FILE...]. README.md explains the text.

Without SHOP_STACK it starts a shop in one process; with it, the stack of that folder is asked. Files run side by side, each with
objects of its own. A file that says `shop: own` needs an empty shop to itself and gets one, in one process, in either mode.
"""
import argparse
import base64
import concurrent.futures
import datetime
import decimal
import http.client
import json
import os
import pathlib
import random
import re
import string
import struct
import sys
import threading
import time
import traceback
import uuid
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import pattern  # noqa: E402
import shop as lib  # noqa: E402

WORKERS = 6
EVENTUALLY_S = 40  # an account's rights are cached for up to 30 s
STALE_S = 1.5  # what another instance of a stack may lag behind a write (goals, 9)
PATIENCE_S = 60
ROLES = {"supervisor": "Supervisor", "support": "Support", "auditor": "Auditor"}
PASSWORD = "scenario-password"
STEP = re.compile(r"(?:> |< |given |set |for |do$|end$|sorted |ids |without |claims )")


class Wrong(Exception):
    """A scenario that is not as it should be, or an answer that is not."""

    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


# --- reading

class Step:
    def __init__(self, line, **what):
        self.line = line
        self.__dict__.update(what)


class Text:
    """The lines of a file, with numbers; comments and blank lines left out where a step begins."""

    def __init__(self, path):
        self.lines = path.read_text().splitlines()
        self.at = 0

    def skip_idle(self):
        while self.at < len(self.lines) and (not self.lines[self.at].strip() or self.lines[self.at].startswith("#")):
            self.at += 1
        return self.at < len(self.lines)

    def next(self):
        self.at += 1
        return self.at, self.lines[self.at - 1]

    def block(self):
        """Up to the next step or blank line."""
        taken = []
        while self.at < len(self.lines) and self.lines[self.at].strip() and not STEP.match(self.lines[self.at]):
            taken.append(self.next())
        return taken


def headers_of(block):
    headers = []
    while block and re.match(r"[A-Za-z-]+: ", block[0][1]):
        headers.append(tuple(block.pop(0)[1].split(": ", 1)))
    return headers


def read_steps(text, inside=False):
    steps = []
    while text.skip_idle():
        line, content = text.next()
        word, _, rest = content.partition(" ")
        if word == "end" and inside:
            return steps
        if word == ">":
            match = re.fullmatch(r"(?:([\w.,-]+|\{\{\w+\}\}) )?([A-Z,]+|\{\{\w+\}\}) (\S+)", rest.strip())
            if not match:
                raise Wrong(line, f"a request is `> [visitor] METHOD /path`, not {content!r}")
            block = text.block()
            headers = headers_of(block)
            body = "\n".join(l for _, l in block)
            if not text.skip_idle() or not text.lines[text.at].startswith("< "):
                raise Wrong(line, "the request has no expected answer (`< STATUS`)")
            steps.append(Step(line, kind="request", visitors=match[1] or "anonymous", methods=match[2], path=match[3],
                              headers=headers, body=body, expected=read_expected(text)))
        elif word == "given":
            steps.append(Step(line, kind="given", words=rest.split()))
        elif word == "set":
            name, _, value = rest.partition(" = ")
            steps.append(Step(line, kind="set", name=name.strip(), value=value))
        elif word == "sorted":
            steps.append(Step(line, kind="sorted", words=rest.split()))
        elif word == "without":
            steps.append(Step(line, kind="without", text=rest.strip()))
        elif word == "claims":
            block = text.block()
            steps.append(Step(line, kind="claims", token=rest.strip(), pattern="\n".join(l for _, l in block)))
        elif word == "ids":
            name, _, wanted = rest.partition(" ")
            steps.append(Step(line, kind="ids", name=name, wanted=wanted))
        elif word == "for":
            names = [n.strip() for n in rest.split("|")]
            rows = []
            while text.skip_idle() and text.lines[text.at] != "do":
                at, row = text.next()
                cells = [c.strip() for c in (row + " ").split(" | ")] if len(names) > 1 else [row.strip()]
                if len(cells) != len(names):
                    raise Wrong(at, f"the table has {len(names)} columns, this row {len(cells)}")
                rows.append((at, dict(zip(names, cells))))
            text.next()
            steps.append(Step(line, kind="for", rows=rows, steps=read_steps(text, inside=True)))
        else:
            raise Wrong(line, f"no step begins so: {content!r}")
    if inside:
        raise Wrong(text.at, "`end` is missing")
    return steps


def read_expected(text):
    line, content = text.next()
    match = re.fullmatch(r"< (eventually )?(\d{3}(?:\|\d{3})*|\{\{\w+\}\})(?: ([A-Z_]+))?", content.strip())
    if not match:
        raise Wrong(line, f"an answer is `< [eventually] STATUS [CODE]`, not {content!r}")
    block = text.block()
    headers = headers_of(block)
    message, faults = None, []
    while block and (block[0][1].startswith("  ") or block[0][1].startswith("message ")) and match[3]:
        _, l = block.pop(0)
        if l.startswith("message "):
            message = l[8:].strip()
        else:
            faults.append(l.strip())
    return Step(line, eventually=bool(match[1]), statuses=match[2], code=match[3], headers=headers, message=message,
                faults=faults, pattern="\n".join(l for _, l in block), pattern_line=block[0][0] if block else line)


class Scenario:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.own_shop, self.demo = False, False
        self.title = []
        text = Text(path)
        for l in text.lines:
            if l.startswith("shop: own"):
                self.own_shop, self.demo = True, l == "shop: own demo"
                text.lines[text.lines.index(l)] = ""
            elif l.startswith("#"):
                self.title.append(l.lstrip("# "))
            else:
                break
        try:
            self.steps = read_steps(text)
        except Wrong as wrong:
            raise SystemExit(f"{path.relative_to(HERE)}:{wrong.line}: {wrong}") from None


# --- files to upload

def png(width=3, height=2, noise=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + random.randbytes(3 * width) for _ in range(height))
    more = chunk(b"tEXt", b"Comment\0" + base64.b64encode(random.randbytes(noise))) if noise else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + more
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


GIF = base64.b64decode("R0lGODlhAgACAIAAAP8AAAAA/yH5BAAAAAAALAAAAAACAAIAAAIDRAIFADs=")
FILES = {
    "png": png,
    "gif": lambda: GIF,
    "webp": lambda: (lib.ROOT / "demo/images/ac-lun-sun.webp").read_bytes(),
    "large-png": lambda: png(noise=4_100_000),
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": lambda: b"<!doctype html><script>alert(1)</script>",
    "text": lambda: b"just words",
    "empty": lambda: b"",
}


def multipart(lines, line):
    """`file FIELD NAME TYPE KIND` or `field NAME VALUE`, one part a line."""
    boundary = "scenario-" + uuid.uuid4().hex
    body = b""
    for l in lines:
        word, *rest = l.split()
        if word == "file" and len(rest) == 4 and rest[3] in FILES:
            field, name, kind, content = rest
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n').encode()
            body += FILES[content]() + b"\r\n"
        elif word == "field" and len(rest) == 2:
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="{rest[0]}"\r\n\r\n{rest[1]}\r\n'.encode()
        else:
            raise Wrong(line, f"a part is `file FIELD NAME TYPE KIND` or `field NAME VALUE`, not {l!r}")
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


# --- running

class Accounts:
    """Who several scenarios share: one of each staff role, a customer and a stranger; made when first asked for."""

    def __init__(self, running, admin):
        self.running, self.admin = running, admin
        self.lock = threading.Lock()
        self.known = {}

    def get(self, name):
        with self.lock:
            if name not in self.known:
                self.known[name] = self.make(name)
            return self.known[name]

    def make(self, name, role=None):
        client = self.running.client()
        if name == "admin":
            email, password = self.admin
            token = client.log_in(email, password).token
        else:
            email, password = f"{name.replace('.', '-')}-{uuid.uuid4().hex[:12]}@example.org", PASSWORD
            answer = client.post("/auth/register", {"name": f"{name} of scenarios", "email": email, "password": password})
            if answer.status != 201:
                raise AssertionError(f"{name} cannot register: {answer}")
            token = answer.json()["token"]
        account = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
        role = role or ROLES.get(name)
        if role:
            admin = self.running.client().log_in(*self.admin)
            given = next((r for r in admin.get("/auth/roles").json() if r["name"] == role), None)
            if not given or not given["permissions"]:
                raise AssertionError(f"{name} is to become {role}, but that role is not as the shop made it; what ran here before? {given}")
            changed = admin.put(f"/auth/users/{account['id']}", {"roleId": given["id"]})
            if changed.status != 200:
                raise AssertionError(f"{name} cannot become {role}: {changed}")
            admin.close()
            token = client.log_in(email, password).token
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
            if claims["role"] != role or set(claims["permissions"]) != {p["name"] for p in given["permissions"]}:
                raise AssertionError(f"{name} is {role} with {given['permissions']}, but logs in as {claims}")
        client.close()
        return {"token": token, "id": account["id"], "email": email, "name": account["name"], "password": password}


class Run:
    """One scenario against one shop."""

    def __init__(self, scenario, running, accounts):
        self.scenario, self.running, self.accounts = scenario, running, accounts
        unique = uuid.uuid4().hex[:10]
        self.values = {"unique": unique, "Unique": unique.upper(), "port": str(running.port), "host": running.host}
        self.clients, self.own = {}, {}
        self.answer = None

    def go(self):
        try:
            self.steps(self.scenario.steps)
        finally:
            for client in self.clients.values():
                client.close()

    def steps(self, steps):
        for step in steps:
            try:
                getattr(self, "do_" + step.kind)(step)
            except (AssertionError, OSError, http.client.HTTPException, KeyError, pattern.BadPattern, ValueError) as error:
                raise Wrong(step.line, f"{type(error).__name__}: {error}") from error

    # visitors

    def account(self, name):
        base = name.partition(".")[0]
        if name in ("customer", "stranger", "admin", *ROLES):
            return self.accounts.get(name)
        if base in ("customer", *ROLES) and "." in name:
            if name not in self.own:
                self.own[name] = self.accounts.make(name, ROLES.get(base))
            return self.own[name]
        raise KeyError(f"nobody is called {name}: anonymous, admin, customer, stranger, {', '.join(ROLES)}, or customer.somename")

    def client(self, name):
        if name not in self.clients:
            token = None if name == "anonymous" else self.account(name)["token"]
            self.clients[name] = self.running.client(token, timeout=PATIENCE_S)
        return self.clients[name]

    # values

    def value(self, expression):
        expression = expression.strip()
        if expression in self.values:
            return self.values[expression]
        if expression == "uuid":
            return str(uuid.uuid4())
        if match := re.fullmatch(r"(\S)\*(\d+)", expression):
            return match[1] * int(match[2])
        if match := re.fullmatch(r"deep (\d+)", expression):
            return "[" * int(match[1]) + "]" * int(match[1])
        if match := re.fullmatch(r"in (-?\d+) s", expression):
            at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(match[1]))
            return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
        who, _, what = expression.rpartition(".")
        if who and (who in ("customer", "stranger", "admin", *ROLES) or who.partition(".")[0] in ("customer", *ROLES)):
            return self.account(who)[what]
        if match := re.fullmatch(r"([\w.]+)((?:\s*[-+*]\s*\d+(?:\.\d+)?)+)", expression):
            total = decimal.Decimal(str(self.values[match[1]]))
            for sign, amount in re.findall(r"([-+*])\s*(\d+(?:\.\d+)?)", match[2]):
                amount = decimal.Decimal(amount)
                total = total + amount if sign == "+" else total - amount if sign == "-" else total * amount
            return total
        raise KeyError(f"{{{{{expression}}}}} is not known; known are {', '.join(sorted(self.values))}")

    def filled(self, text):
        return re.sub(r"\{\{([^{}]+)\}\}", lambda m: self.spelt(self.value(m[1])), text)

    @staticmethod
    def spelt(value):
        if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
            return json.dumps(value)
        return str(value)

    # steps

    def do_set(self, step):
        self.values[step.name] = self.filled(step.value)

    def do_for(self, step):
        for line, row in step.rows:
            self.values.update({name: self.filled(cell) for name, cell in row.items()})
            try:
                self.steps(step.steps)
            except Wrong as wrong:
                raise Wrong(wrong.line, f"with line {line} ({', '.join(f'{k} = {v[:60]}' for k, v in row.items())})\n{wrong}") from wrong

    def do_sorted(self, step):
        *path, direction = step.words if step.words[-1] in ("desc", "asc") else [*step.words, "asc"]
        outer, _, inner = path[0].rpartition("[].") if "[]." in path[0] else ("", "", path[0])
        rows = pattern.loads(self.answer.body)
        for name in filter(None, outer.split(".")):
            rows = rows[name]
        values = [row[inner] for row in rows]
        if len(values) < 2:
            raise AssertionError(f"{path[0]} has {len(values)} values: that shows no order")
        if values != sorted(values, reverse=direction == "desc"):
            raise AssertionError(f"{path[0]} is not sorted {direction}: {values}")

    def do_without(self, step):
        text = self.filled(step.text)
        if text in self.answer.text:
            raise AssertionError(f"{text} is in the answer: {self.answer.text[:1500]}")

    def do_claims(self, step):
        """What a token says of itself: its header's members and its claims."""
        head, body, _ = self.filled(step.token).split(".")
        parts = [pattern.loads(base64.urlsafe_b64decode(part + "===")) for part in (head, body)]
        captures = {}
        faults = pattern.parse(self.filled(step.pattern)).faults({"header": parts[0], **parts[1]}, captures)
        if faults:
            raise AssertionError("; ".join(f"{at}: expected {wanted}, came {came}" for at, wanted, came in faults))
        self.values.update(captures)

    def do_ids(self, step):
        """The ids of a list, in order."""
        wanted = json.loads(self.filled(step.wanted))
        came = [row["id"] for row in self.answer.json()[step.name]]
        if came != wanted:
            raise AssertionError(f"{step.name}: expected the ids {wanted}, came {came}")

    def do_given(self, step):
        kind, name, *pairs = step.words
        options = {k: self.filled(v) for k, v in (pair.split("=", 1) for pair in pairs)}
        made = getattr(self, "make_" + kind)(name, **options)
        for key, value in made.items():
            self.values[f"{name}.{key}" if key else name] = value

    def made(self, answer, status=201):
        if answer.status != status:
            raise AssertionError(f"what is given cannot be made: {answer}")
        return answer.json()

    def make_product(self, name, price="10", stock="0", cost=None, sku=None, category=None, active="true", colours="Red", title=None,
                     threshold=None, description=None):
        sku = sku or f"S-{self.values['unique']}-{name}".upper()
        variants = [{"attributes": {"Color": colour}, "price": price, "initialStockQuantity": int(stock)} for colour in colours.split(",")]
        for variant in variants:
            if cost:
                variant["costPrice"] = cost
            if threshold:
                variant["lowStockThreshold"] = int(threshold)
        title = (title or name).replace("_", " ")
        body = {"sku": sku, "name": {"en": title}, "isActive": active == "true", "variants": variants,
                "categoryIds": [self.values[c] for c in category.split(",")] if category else []}
        if description:
            body["description"] = {"en": description.replace("_", " ")}
        product = self.made(self.client("admin").post("/products", body))
        made = {"": product["id"], "sku": sku, "price": price, "title": title}
        for i, variant in enumerate(product["variants"]):
            made["variant" if i == 0 else f"variant{i + 1}"] = variant["id"]
        return made

    def make_category(self, name, parent=None, title=None):
        slug = f"{name}-{self.values['unique']}".lower().replace("_", "-")
        body = {"name": {"en": (title or name).replace("_", " ")}, "slug": slug, "parentId": self.values[parent] if parent else None}
        return {"": self.made(self.client("admin").post("/products/categories", body))["id"], "slug": slug}

    def make_currency(self, name, rate):
        # One code for each rate, and none of those that people know: scenarios that run side by side agree about it.
        pool = string.ascii_uppercase
        number = zlib.crc32(rate.encode())
        code = "X" + pool[number % 26] + pool[number // 26 % 26]
        return {"": self.made(self.client("admin").post("/products/currencies", {"code": code, "rateVsBase": rate}), 200)["code"]}

    def make_order(self, name, of, by="anonymous", quantity="1", payment="CASH_ON_DELIVERY", status=None):
        variant = self.values.get(of + ".variant", self.values.get(of))
        body = {"guestEmail": f"guest-{self.values['unique']}@example.org", "guestName": "Given Guest", "phone": "555", "paymentMethod": payment,
                "shippingAddress": None, "items": [{"variantId": variant, "quantity": int(quantity)}]}
        order = self.made(self.client(by).post("/orders", body))
        if status:
            self.made(self.client("admin").put(f"/orders/{order['id']}/status", {"status": status}), 200)
        return {"": order["id"], "token": order["guest_token"], "item": order["items"][0]["id"], "email": order["customerEmail"]}

    def make_role(self, name, permissions):
        known = {p["name"]: p["id"] for p in self.client("admin").get("/auth/permissions").json()}
        body = {"name": f"{name} {self.values['unique']}", "permissionIds": [known[p] for p in permissions.split(",") if p]}
        return {"": self.made(self.client("admin").post("/auth/roles", body))["id"], "name": body["name"]}

    # requests

    def do_request(self, step):
        for visitor in self.filled(step.visitors).split(","):
            for method in self.filled(step.methods).split(","):
                self.one_request(step, visitor, method)

    def one_request(self, step, visitor, method):
        path = self.filled(step.path)
        headers = {name: self.filled(value) for name, value in step.headers}
        body, kind = None, None
        if step.body.startswith(("file ", "field ")):
            body, kind = multipart(self.filled(step.body).splitlines(), step.line)
        elif step.body.startswith("| "):
            body = self.filled("\n".join(l.removeprefix("| ") for l in step.body.splitlines())).encode()
            kind = "application/json"
        elif step.body:
            text = self.filled(step.body)
            try:
                json.loads(text)
            except ValueError as error:
                raise Wrong(step.line, f"the request's body is no JSON ({error}); lines that begin with `| ` are sent as they are:\n{text}") from None
            body, kind = text.encode(), "application/json"
        if kind:
            headers.setdefault("Content-Type", kind)
        if headers.get("Content-Type") == "none":
            del headers["Content-Type"]
        lag = STALE_S if os.environ.get("SHOP_STACK") and method in ("GET", "HEAD") else 0
        end = time.monotonic() + (EVENTUALLY_S if step.expected.eventually else lag)
        while True:
            try:
                self.answer = self.client(visitor).request(method, path, body, headers)
                self.compare(step.expected, self.answer, method, path)
                return
            except Wrong as wrong:
                if time.monotonic() >= end:
                    said = f"\nsent: {body.decode('utf-8', 'replace')[:600]}" if body and kind == "application/json" else ""
                    raise Wrong(wrong.line, f"{visitor}: {method} {path}{said}\n{wrong}\nwhole answer: {self.answer.status} {self.answer.text[:1500]}") from None
            time.sleep(0.05)

    def compare(self, expected, answer, method, path):
        wrongs = list(self.always(answer, method, path, expected))
        statuses = self.filled(expected.statuses)
        if str(answer.status) not in statuses.split("|"):
            wrongs.insert(0, f"status: expected {statuses.replace('|', ' or ')}, came {answer.status}")
        captures = {}
        for name, text in expected.headers:
            wanted = self.filled(text)
            for fault in pattern.parse(wanted).faults(answer.headers.get(name), captures, name):
                wrongs.append("header {}: expected {}, came {}".format(*fault))
        if expected.code and not wrongs:
            wrongs += self.problem_faults(expected, answer)
        if expected.pattern and not wrongs:
            try:
                value = pattern.loads(answer.body)
            except ValueError:
                value = None
                wrongs.append("the answer is no JSON")
            else:
                for at, wanted, came in pattern.parse(self.filled(expected.pattern)).faults(value, captures):
                    wrongs.append(f"{at or 'the answer'}: expected {wanted}, came {came}")
        if wrongs:
            raise Wrong(expected.line, "\n".join(wrongs[:20]))
        self.values.update(captures)

    def problem_faults(self, expected, answer):
        problem = answer.json()
        if problem.get("code") != expected.code:
            yield f"code: expected {expected.code}, came {problem.get('code')}"
        if expected.message:
            for _, wanted, came in pattern.parse("like " + json.dumps(self.filled(expected.message))).faults(problem.get("message"), {}):
                yield f"message: expected {wanted}, came {came}"
        if expected.faults:
            wanted = sorted(self.filled(fault).partition(" ")[::2] for fault in expected.faults)
            came = sorted((f["path"] or "body", f["message"]) for f in problem.get("errors", []))
            fits = len(wanted) == len(came) and all(
                w[0] == c[0] and re.fullmatch(".*".join(map(re.escape, w[1].split("*"))) if w[1] else ".*", c[1]) for w, c in zip(wanted, came))
            if not fits:
                yield f"errors: expected {wanted}, came {came}"

    def always(self, answer, method, path, expected):
        """What holds for every answer of the gateway (contract, sections 1 and 2)."""
        headers = answer.headers
        request_id = headers.get("X-Request-Id")
        if not request_id:
            yield "header X-Request-Id is missing"
        if headers.get("Access-Control-Allow-Origin") != "*":
            yield f"header Access-Control-Allow-Origin: expected *, came {headers.get('Access-Control-Allow-Origin')}"
        media = headers.get("Content-Type", "")
        if answer.status in (204, 304) or method == "HEAD":
            if answer.body:
                yield f"a body came where none may be: {answer.text[:100]}"
            return
        if answer.status == 405 and not headers.get("Allow"):
            yield "405 without Allow"
        if answer.status in (429, 503) and not (headers.get("Retry-After") or "").isdigit():
            yield f"{answer.status} without Retry-After"
        if answer.status == 401 and headers.get("WWW-Authenticate") is None and media.startswith("application/problem"):
            yield "401 without WWW-Authenticate"
        if answer.status < 400:
            if media.startswith("application/json"):
                if media != "application/json; charset=utf-8":
                    yield f"Content-Type: expected application/json; charset=utf-8, came {media}"
                if method == "GET" and answer.status == 200 and not (headers.get("ETag") or "").startswith('W/"'):
                    yield f"GET without weak ETag: {headers.get('ETag')}"
            elif expected.pattern:
                yield f"Content-Type: expected application/json; charset=utf-8, came {media}"
            return
        if expected.code is None and expected.pattern:
            return  # an error with a body of its own form
        if media != "application/problem+json; charset=utf-8":
            yield f"Content-Type of an error: expected application/problem+json; charset=utf-8, came {media}"
            return
        word = re.match(r"/(carts|images)(/|\?|$)", path) is not None
        problem = pattern.loads(answer.body)
        status = '"error"' if word else str(answer.status)
        shape = pattern.parse('{"type": /^\\/problems\\/[a-z0-9-]+$/, "title": text, "status": %s, "message": text, "code": /^[A-Z_]+$/,'
                              ' "requestId": string, "errors": each {"path": string, "message": text}}' % status)
        for at, wanted, came in shape.faults(problem, {}):
            yield f"error body {at}: expected {wanted}, came {came}"
        if problem.get("requestId") != request_id:
            yield f"requestId {problem.get('requestId')} is not the header's {request_id}"
        if problem.get("type") != "/problems/" + str(problem.get("code")).lower().replace("_", "-"):
            yield f"type {problem.get('type')} does not fit code {problem.get('code')}"


def run_one(scenario, running, accounts):
    """None, or what was wrong."""
    begun = time.monotonic()
    wrong = None
    try:
        if scenario.own_shop:
            with lib.OneProcess(demo=scenario.demo) as own:
                admin = lib.ADMIN if scenario.demo else first_administrator(own)
                Run(scenario, own, Accounts(own, admin)).go()
        else:
            Run(scenario, running, accounts).go()
    except Wrong as error:
        wrong = f"{scenario.path.relative_to(lib.ROOT)}:{error.line}: {error}"
    except Exception:  # a fault of this program or of the shop: said like any other, so that the rest still runs
        wrong = f"{scenario.path.relative_to(lib.ROOT)}: {traceback.format_exc()}"
    return wrong, time.monotonic() - begun


def first_administrator(running):
    made = running.shopctl("create-admin", *lib.ADMIN)
    if made.returncode != 0:
        raise AssertionError(f"create-admin: {made.stderr}")
    return lib.ADMIN


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--list", action="store_true", help="say what there is, run nothing")
    options.add_argument("files", nargs="*", type=pathlib.Path, help="only these (default: all beside this program)")
    options.add_argument("--workers", type=int, default=WORKERS, help="scenarios at once (default: %(default)s)")
    chosen = options.parse_args()
    paths = [f.resolve() for f in chosen.files] or sorted(HERE.glob("*.scenario"))
    scenarios = [Scenario(path) for path in paths]
    if chosen.list:
        for scenario in scenarios:
            print(f"{scenario.name:28} {scenario.title[0] if scenario.title else ''}")
        return 0
    if not scenarios:
        sys.exit("no scenario was found")
    begun = time.monotonic()
    failures, slowest = [], []
    with lib.opened(demo=False) as running:
        admin = lib.ADMIN if os.environ.get("SHOP_STACK") else first_administrator(running)
        accounts = Accounts(running, admin)
        with concurrent.futures.ThreadPoolExecutor(chosen.workers) as pool:
            pending = {pool.submit(run_one, s, running, accounts): s for s in scenarios}
            for future in concurrent.futures.as_completed(pending):
                wrong, took = future.result()
                slowest.append((took, pending[future].name))
                if wrong:
                    failures.append(wrong)
    for wrong in sorted(failures):
        print(f"--- {wrong}\n")
    slowest.sort(reverse=True)
    print(f"{len(scenarios) - len(failures)} of {len(scenarios)} scenarios green in {time.monotonic() - begun:.1f} s"
          f" ({'stack' if os.environ.get('SHOP_STACK') else 'one process'}; slowest: {', '.join(f'{n} {t:.1f} s' for t, n in slowest[:3])})")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
