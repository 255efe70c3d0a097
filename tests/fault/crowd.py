"""A crowd of buyers that does not give up, and a recorder of everything that it was told.

Each buyer is a thread with a connection of its own; several processes of them make a crowd. An operation is sent again, under
the same Idempotency-Key, until its answer is certain (any status below 500). What was answered is recorded; what was sent without
an answer is recorded too, because it may have happened. `judge.py` compares both with what the shop has kept.
"""
import dataclasses
import json
import multiprocessing
import random
import socket
import threading
import time

GIVE_UP_S = 90  # one operation, with all its repetitions
PAUSE_S = 0.1   # before sending again


class Unanswered(Exception):
    """Nobody knows whether the request was carried out."""


class Wire:
    """One HTTP/1.1 connection without comfort: about 60 us a request, and every failure is an Unanswered."""

    def __init__(self, host, port, timeout_s=20.0):
        self.address, self.timeout_s = (host, port), timeout_s
        self.socket = self.reader = None

    def close(self):
        if self.socket:
            self.reader.close()
            self.socket.close()
        self.socket = self.reader = None

    def request(self, method, path, body=None, token=None, headers=()):
        """(status, headers in lower case, body)"""
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.address[0]}:{self.address[1]}"]
        if token:
            head.append(f"Authorization: Bearer {token}")
        head += [f"{name}: {value}" for name, value in headers]
        payload = b"" if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        if body is not None:
            head.append("Content-Type: application/json")
        if body is not None or method in ("POST", "PUT", "PATCH"):
            head.append(f"Content-Length: {len(payload)}")
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.address, self.timeout_s)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.reader = self.socket.makefile("rb")
            self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + payload)
            return self._answer()
        except (OSError, ValueError) as error:
            self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from None

    def _answer(self):
        line = self.reader.readline()
        if not line.startswith(b"HTTP/1.1 "):
            raise ConnectionError("no answer")
        status, headers = int(line[9:12]), {}
        while (line := self.reader.readline().strip()):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if "content-length" in headers:
            want = int(headers["content-length"])
            body = self.reader.read(want)
            if len(body) != want:
                raise ConnectionError("the answer was cut")
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(self.reader.readline().split(b";")[0], 16)):
                body += self.reader.read(size)
                self.reader.readline()
            self.reader.readline()
        else:
            body = b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body


@dataclasses.dataclass
class Plan:
    host: str
    ports: list          # of the doors; who is refused at one goes to the next
    variants: list       # ids
    products: dict       # variant -> product
    admin: str           # token
    users: list          # tokens
    checkouts: int       # intents in all
    seed: int
    processes: int = 2
    threads: int = 8     # in each process
    carts: bool = False
    pace_s: float = 0.0  # between two operations of one buyer


@dataclasses.dataclass
class Intent:
    """An order that somebody wants, exactly once."""
    key: str
    path: str
    body: dict
    user: int            # index, -1: a guest
    answer: tuple = None            # (status, body) of the first certain answer
    replays_differ: list = dataclasses.field(default_factory=list)
    cancel: str = "no"              # no | asked | done | refused


@dataclasses.dataclass
class Record:
    intents: list = dataclasses.field(default_factory=list)
    adjustments: list = dataclasses.field(default_factory=list)  # (variant, change, certain status or None)
    carts: list = dataclasses.field(default_factory=list)        # (cart id, user, {variant: (least, most)})
    attempts: int = 0
    good: int = 0        # attempts with an answer below 500
    statuses: dict = dataclasses.field(default_factory=dict)
    complaints: list = dataclasses.field(default_factory=list)
    losses: list = dataclasses.field(default_factory=list)       # (when it failed, s from sending it to sending the next, status or None, what was said)

    def add(self, other):
        for name in ("intents", "adjustments", "carts", "complaints", "losses"):
            getattr(self, name).extend(getattr(other, name))
        self.attempts += other.attempts
        self.good += other.good
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count


class Buyer(threading.Thread):
    def __init__(self, plan, number, share, record, stop):
        super().__init__(daemon=True)
        self.plan, self.number, self.share, self.record, self.stop = plan, number, share, record, stop
        self.random = random.Random(plan.seed * 1000 + number)
        self.door, self.wire = number, None
        self.next_door()
        self.mine = []

    def run(self):
        try:
            for count in range(self.share):
                if self.stop.is_set():
                    return
                self.checkout(count)
                if self.random.random() < 0.15 and self.mine:
                    self.cancel(self.random.choice(self.mine))
                if self.random.random() < 0.08:
                    self.adjust(count)
                if self.random.random() < 0.3:
                    self.once("GET", f"/products/id/{self.plan.products[self.random.choice(self.plan.variants)]}")
                if self.plan.carts and self.random.random() < 0.1:
                    self.cart()
                if self.plan.pace_s:
                    time.sleep(self.random.uniform(0, 2 * self.plan.pace_s))
        except Exception as error:  # a fault of the crowd itself must not look like a quiet shop
            self.record.complaints.append(f"buyer {self.number} broke down: {type(error).__name__}: {error}")

    def next_door(self):
        self.door += 1
        self.wire = Wire(self.plan.host, self.plan.ports[self.door % len(self.plan.ports)])

    def once(self, method, path, body=None, token=None, headers=()):
        """The answer, or None when there was none."""
        self.record.attempts += 1
        begun = time.monotonic()
        try:
            answer = self.wire.request(method, path, body, token, headers)
        except Unanswered:
            self.record.statuses["none"] = self.record.statuses.get("none", 0) + 1
            self.lost(begun, None, "")
            self.next_door()
            return None
        self.record.statuses[answer[0]] = self.record.statuses.get(answer[0], 0) + 1
        if answer[0] < 500:
            self.record.good += 1
        else:
            self.lost(begun, answer[0], answer[2][:300].decode("utf-8", "replace"))
        if answer[0] == 500:
            self.record.complaints.append(f"500 for {method} {path}: {answer[2][:200]!r}")
        return answer

    def lost(self, begun, status, said):
        now = time.monotonic()
        self.record.losses.append((now, now - begun, status, said))

    def until_certain(self, method, path, body=None, token=None, headers=()):
        """The first answer below 500; None after GIVE_UP_S."""
        end = time.monotonic() + GIVE_UP_S
        while time.monotonic() < end and not self.stop.is_set():
            answer = self.once(method, path, body, token, headers)
            if answer and answer[0] < 500 and answer[0] != 429:
                return answer
            pause = PAUSE_S * self.random.uniform(0.5, 1.5)
            time.sleep(pause)
            if not answer or answer[0] >= 500:
                at, took, status, said = self.record.losses[-1]
                self.record.losses[-1] = (at, took + pause, status, said)
        return None

    def token(self, user):
        return self.plan.users[user] if user >= 0 else None

    def checkout(self, count):
        rng, name = self.random, f"p{self.plan.seed}-{self.number}-{count}"
        user = rng.randrange(len(self.plan.users)) if self.plan.users and rng.random() < 0.5 else -1
        lines = [{"variantId": rng.choice(self.plan.variants), "quantity": rng.randint(1, 3)} for _ in range(rng.randint(1, 3))]
        body = {"guestName": "Crowd", "guestEmail": f"guest{self.number}@example.org", "phone": name, "paymentMethod": "CASH_ON_DELIVERY", "items": lines}
        intent = Intent(name, "/orders", body, user)
        self.record.intents.append(intent)
        headers = (("Idempotency-Key", name),)
        if rng.random() < 0.1:  # a second tab sends the same at the same moment; its answer counts like a retry's
            other = threading.Thread(target=self.second_tab, args=(intent, headers), daemon=True)
            other.start()
        else:
            other = None
        answer = self.until_certain("POST", "/orders", body, self.token(user), headers)
        if other:
            other.join(30)
        if answer is None:
            return
        self.told(intent, answer)
        if answer[0] == 201:
            self.mine.append(intent)
            if rng.random() < 0.2:
                again = self.until_certain("POST", "/orders", body, self.token(user), headers)
                if again:
                    self.told(intent, again)

    def second_tab(self, intent, headers):
        wire, before = Wire(self.plan.host, self.wire.address[1]), intent.answer
        try:
            answer = wire.request("POST", "/orders", intent.body, self.token(intent.user), headers)
            refused = answer[0] == 409 and before is None  # of two at once one may have been refused before the other was served, and be told so later
            if answer[0] < 500 and not (refused and intent.answer and intent.answer[0] == 201):
                self.told(intent, answer)
        except Unanswered:
            pass
        finally:
            wire.close()

    @staticmethod
    def told(intent, answer):
        """201 is for ever: every later answer must be the same bytes. A refusal is not kept under the key."""
        kept = (answer[0], answer[2])
        if intent.answer is None or (intent.answer[0] != 201 and kept[0] == 201):
            intent.answer = kept
        elif intent.answer[0] == 201 and kept != intent.answer:
            intent.replays_differ.append(kept)

    def cancel(self, intent):
        order = json.loads(intent.answer[1])
        intent.cancel = "asked"
        answer = self.until_certain("POST", f"/orders/{order['id']}/cancel?guest_token={order['guest_token']}", {})
        if answer:
            intent.cancel = "done" if answer[0] == 200 else "refused"
            if answer[0] not in (200, 409):
                self.record.complaints.append(f"cancel of {order['id']}: {answer[0]} {answer[2][:200]!r}")

    def adjust(self, count):
        variant, change = self.random.choice(self.plan.variants), self.random.choice([-2, -1, 1, 3, 5, 8])
        answer = self.until_certain("POST", f"/products/stock/adjust/{variant}", {"changeQuantity": change, "type": "ADMIN_UPDATE", "reason": "crowd"},
                                    self.plan.admin, (("Idempotency-Key", f"a{self.plan.seed}-{self.number}-{count}"),))
        self.record.adjustments.append((variant, change, answer[0] if answer else None))
        if answer and answer[0] not in (201, 400):
            self.record.complaints.append(f"adjust: {answer[0]} {answer[2][:200]!r}")

    def cart(self):
        answer = self.once("POST", "/carts", {})
        if not answer or answer[0] not in (200, 201):
            return
        cart, least, most = json.loads(answer[2])["id"], {}, {}
        for _ in range(self.random.randint(1, 4)):
            variant, quantity = self.random.choice(self.plan.variants), self.random.randint(1, 5)
            answer = self.once("POST", f"/carts/{cart}/items", {"productId": self.plan.products[variant], "variantId": variant, "quantity": quantity, "price": 1})
            most[variant] = most.get(variant, 0) + quantity
            if answer and answer[0] == 200:
                least[variant] = least.get(variant, 0) + quantity
            elif answer and answer[0] < 500:
                self.record.complaints.append(f"cart add: {answer[0]} {answer[2][:200]!r}")
        self.record.carts.append((cart, {variant: (least.get(variant, 0), most[variant]) for variant in most}))


def _process(plan, first, shares, pipe, stop):
    records = [Record() for _ in shares]
    buyers = [Buyer(plan, first + i, share, records[i], stop) for i, share in enumerate(shares)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    whole = Record()
    for record in records:
        whole.add(record)
    pipe.send(whole)
    pipe.close()


class Crowd:
    """Runs a plan in processes of its own: start(), then poll done(), then record()."""

    def __init__(self, plan):
        self.plan = plan
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.parts = []
        buyers = plan.processes * plan.threads
        shares = [plan.checkouts // buyers + (i < plan.checkouts % buyers) for i in range(buyers)]
        for number in range(plan.processes):
            mine, theirs = context.Pipe(False)
            own = shares[number * plan.threads:(number + 1) * plan.threads]
            process = context.Process(target=_process, args=(plan, number * plan.threads, own, theirs, self.stop), daemon=True)
            self.parts.append((process, mine, theirs))

    def start(self):
        for process, _, theirs in self.parts:
            process.start()
            theirs.close()
        return self

    def done(self):
        return all(pipe.poll() for _, pipe, _ in self.parts)

    def record(self, limit_s=120):
        whole, end = Record(), time.monotonic() + limit_s
        for process, pipe, _ in self.parts:
            if not pipe.poll(max(0.1, end - time.monotonic())):
                self.stop.set()
                if not pipe.poll(30):
                    raise AssertionError("A part of the crowd never came back.")
                whole.complaints.append(f"the crowd had not finished after {limit_s} s")
            whole.add(pipe.recv())
            process.join(10)
        return whole
