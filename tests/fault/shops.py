"""The shop that the fault tests attack, in either mode: how to log in, how to examine it, what can be killed."""
import contextlib
import dataclasses
import json
import os
import re
import subprocess
from collections.abc import Callable

import stack as stacks
from gate import Gates
from shop import OneProcess, eventually, program

START_LIMIT_S = 90


@dataclasses.dataclass
class Victim:
    """What `kill -9` may hit."""
    name: str
    kill: Callable
    revive: Callable
    is_back: Callable = lambda: True  # whether it answers again, once it is started


class Alone(OneProcess):
    """In one process, empty, with an administrator."""

    administrator = ("admin@example.org", "secret-admin")

    def __init__(self, **more):
        super().__init__(demo=False, **more)

    def __enter__(self):
        super().__enter__()
        done = self.shopctl("create-admin", *self.administrator)
        assert done.returncode == 0 or "exists already" in done.stderr, done.stderr
        return self

    def admin(self):
        return self.client().log_in(*self.administrator)

    def doctor(self, *arguments, patience=0):
        """(exit code, report)"""
        return report_of(self.shopctl("doctor", "--json", "--patience", str(patience), *arguments))

    carts_survive = True  # kill -9 costs no cart

    @property
    def ports(self):
        return [self.port]

    def ended_by_itself(self):
        return "" if self.process.poll() is None else f"The shop ended by itself:\n{self.tail()}"

    def whole(self):
        """Waits until everything that was killed is there again."""

    def ends_well(self):
        """SIGTERM ends it with 0, and its folder holds what doctor wants, with nobody there to tidy up."""
        code = self.stop()
        done = self.shopctl("doctor")
        if code != 0 or done.returncode != 0:
            print(f"  the shop ended with {code}; doctor says: {done.stdout}{done.stderr}")
        return code == 0 and done.returncode == 0

    def crowded_out(self):
        return 0  # its routes take any number: the queues in front of its one writer refuse

    def deadlocks(self):
        return 0  # SQLite has one writer: where two would lock each other it answers with an error, which the tests count

    def victims(self):
        return [Victim("shop", self.kill, self.start)]  # who has started is open

    def half_start(self, wait):
        """Started and killed again before it is open; `wait()` says when."""
        half = subprocess.Popen([program("shop"), "--port", str(self.port), "--data", str(self.data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait()
        half.kill()
        half.wait()


def report_of(done):
    if done.returncode not in (0, 1) or not done.stdout:
        return done.returncode, {"findings": [{"invariant": "doctor", "subject": "", "message": done.stderr, "rows": []}], "waiting": {}}
    return done.returncode, json.loads(done.stdout)


class Apart(stacks.Stack):
    """A process per service on the real stores, empty, with an administrator. With `gates`: {store or "peer": Gate} stand between them."""

    administrator = Alone.administrator
    carts_survive = False  # Redis promises its last second only
    gate = {}

    def __init__(self, stack):
        super().__init__(stack)
        email, password = self.administrator
        account = {"name": "Administrator", "email": email, "password": password, "role": "ADMIN"}
        answer = self.internal("auth-service", "POST", "/internal/accounts", {"accounts": [account]})
        assert answer.status in (200, 201), answer

    @property
    def ports(self):
        return [entry["port"] for entry in self.stack.services.values() if entry["service"] == "api-gateway"]

    def admin(self):
        eventually(lambda: self.client().get("/auth/health").status == 200, START_LIMIT_S, 0.1)
        return self.client().log_in(*self.administrator)

    def doctor(self, *arguments, patience=0):
        """(exit code, report)"""
        urls = [f"--{name}-database-url={self.store_url(name + '_db')}" for name in ("auth", "product", "order")]
        urls += [f"--elasticsearch-node=http://127.0.0.1:{self.stack.port('elasticsearch')}", f"--kafka-brokers=127.0.0.1:{self.stack.port('kafka')}"]
        return report_of(self.shopctl("doctor", "--json", "--patience", str(patience), *urls, *arguments))

    def crowded_out(self):
        """Requests refused because their route had as many at work as it takes."""
        texts = [stacks.distributed.get(entry["port"], "/metrics")[1] for entry in self.stack.services.values()]
        return sum(int(float(count)) for text in texts for count in re.findall(r"^http_requests_crowded_out_total\S* (\S+)$", text, re.M))

    def deadlocks(self):
        return int(self.sql("postgres", "SELECT COALESCE(SUM(deadlocks), 0) FROM pg_stat_database"))

    def victims(self):
        def of_service(name):
            port = self.stack.watch_port(name)
            return Victim(name, lambda: self.kill(name), lambda: self.start(name, wait=False), lambda: stacks.distributed.get(port, "/health/live", 1)[0] == 200)

        def of_store(name):
            return Victim(name, lambda: self.component("kill9", name), lambda: self.component("start", name))
        return [of_service(name) for name in self.stack.services] + [of_store(name) for name in stacks.distributed.COMPONENTS]

    def ended_by_itself(self):
        return "".join(f"{name} ended by itself: {self.stack.last_words(name)}" for name in self.stack.services if not self.stack.runs(name))

    def whole(self):
        self.stack.wait_ready(list(self.stack.services), self.stack.processes, START_LIMIT_S)
        self.stack.wait_found(START_LIMIT_S)

    def ends_well(self):
        for name in self.stack.services:
            self.stack.stop_service(name)
        bad = {name: code for name, process in self.stack.processes.items() if (code := process.wait(30)) != 0}
        if bad:
            print(f"  services that did not end with 0: {bad}")
        return not bad


@contextlib.contextmanager
def apart(gated=False):
    if not gated:
        with stacks.begun(Apart) as stack:
            yield stack
        return
    names = stacks.distributed.COMPONENTS
    done = subprocess.run([stacks.distributed.SCRIPTS / "free-port", str(2 * len(names) + 3)], capture_output=True, text=True, check=True)
    ports = list(map(int, done.stdout.split()))
    own, before = dict(zip(names, ports)), dict(zip([*names, "peer"], ports[len(names):]))
    product, order = ports[-2:]
    components = {name: {"port": own[name], "pid": 0, "reached_at": before[name]} for name in names}
    kafka = own["kafka"]  # a broker tells its clients where to come: those of the gate, to the gate
    components["kafka"]["environment"] = {"KAFKA_SETTINGS": " ".join([
        f"listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{kafka + 1},GATED://127.0.0.1:{kafka + 2}",
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{kafka},GATED://127.0.0.1:{before['kafka']}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GATED:PLAINTEXT"])}
    services = {"product-service-1": {"service": "product-service", "port": product, "pid": 0},
                "order-service-1": {"service": "order-service", "port": order, "pid": 0,
                                    "environment": {"PRODUCT_SERVICE_URL": f"http://127.0.0.1:{before['peer']}"}}}
    gates = Gates()
    try:
        gate = {name: gates.open(before[name], own[name] + (2 if name == "kafka" else 0)) for name in names}
        gate["peer"] = gates.open(before["peer"], product)
        with stacks.begun(Apart, components, services) as stack:
            stack.gate = gate
            yield stack
    finally:
        gates.close()


CURRENT = None  # a shop that several tests share


@contextlib.contextmanager
def mode(**more):
    """One process, or with SHOP_MODE=distributed a process per service on the real stores."""
    if CURRENT:
        yield CURRENT
        return
    if os.environ.get("SHOP_MODE") == "distributed":
        with apart() as stack:
            yield stack
        return
    with Alone(**more) as shop:
        yield shop
