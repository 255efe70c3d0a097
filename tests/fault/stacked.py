"""The distributed shop for the fault tests: every service a process, on PostgreSQL, Redis, Kafka, Elasticsearch and Consul of its own; with
gates in between where a test wants to spoil the wire. Everything lives in a temporary folder and ends with the object."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from gate import Gates
from shop import ROOT, Answer, Client, eventually, free_port, program
from shops import Victim, report_of

COMPONENTS = ROOT / "scripts" / "components"
STORES = ["postgres", "redis", "kafka", "elasticsearch", "consul"]
START_LIMIT_S = 90


def component(name, *arguments, **environment):
    done = subprocess.run([COMPONENTS / name, *map(str, arguments)], capture_output=True, text=True, timeout=330, env={**os.environ, "START_TIMEOUT_S": "300", **environment})
    assert done.returncode == 0, f"{name} {' '.join(map(str, arguments))}: {done.stderr or done.stdout}"
    return done.stdout


class Service:
    def __init__(self, stack, name, port, settings):
        self.name, self.port, self.log = name, port, stack.folder / f"{name}.log"
        self.environment = {"PATH": os.environ["PATH"], "PORT": str(port), "BIND": "127.0.0.1", "POD_IP": "127.0.0.1", "POD_HOSTNAME": f"{name}-1",
                            "INTERNAL_TOKEN": stack.token, "CONSUL_AGENT_HOST": "127.0.0.1", **settings}
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program(self.name)], stdout=log, stderr=log, env=self.environment)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def get(self, path, timeout=5):
        try:
            return Client("127.0.0.1", self.port, timeout=timeout).get(path).status
        except OSError:
            return 0

    def ready(self):
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}"
        return self.get("/health/ready") == 200

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Stacked:
    mode = "distributed"
    host = "127.0.0.1"
    administrator = ("admin@example.org", "secret-admin")
    carts_survive = False  # Redis promises its last second only

    def __init__(self, gated=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-stack-"))
        self.token, self.gates, self.services, self.ports = secrets.token_hex(16), None, {}, {}
        self.killed = []
        self.gated = gated

    # --- start and end

    def __enter__(self):
        try:
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for service in self.services.values():
            if service.process and service.process.poll() is None:
                service.process.terminate()
        end = time.monotonic() + 15
        for service in self.services.values():
            if service.process:
                try:
                    service.process.wait(max(0.1, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    service.kill()
        if self.gates:
            self.gates.close()
        for name in STORES:
            subprocess.run([COMPONENTS / "stop", name, self.folder], capture_output=True, timeout=60, env={**os.environ, "STOP_TIMEOUT_S": "3"})
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        component("install", *STORES)
        ports = component("free-port", len(STORES)).split()
        self.ports = dict(zip(STORES, map(int, ports)))
        self.gate_ports = {name: free_port() for name in [*STORES, "peer"]}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.start_store, STORES))
        component("createdb", self.folder, self.ports["postgres"], "auth_db", "product_db", "order_db")
        self.password = (self.folder / "postgres.password").read_text().strip()
        own = {name: free_port() for name in ("auth-service", "product-service", "image-service", "cart-service", "search-service", "order-service", "api-gateway")}
        self.port = own["api-gateway"]
        if self.gated:
            self.gates = Gates()
            self.gate = {name: self.gates.open(self.gate_ports[name], self.ports[name] + (2 if name == "kafka" else 0)) for name in STORES}
            self.gate["peer"] = self.gates.open(self.gate_ports["peer"], own["product-service"])
        at = {name: self.gate_ports[name] if self.gated else self.ports[name] for name in STORES}
        for name, settings in self.settings(at).items():
            self.services[name] = Service(self, name, own[name], {"CONSUL_AGENT_PORT": str(at["consul"]), **settings})
            self.services[name].start()
        for service in self.services.values():
            eventually(service.ready, START_LIMIT_S, 0.1)
        self.make_administrator()

    def settings(self, at):
        def database(name):
            return {"DATABASE_URL": self.database_url(name, at["postgres"])}
        events = {"KAFKA_BROKERS": f"127.0.0.1:{at['kafka']}", "KAFKA_PARTITIONS": "3"}
        keys = {"REDIS_URL": f"redis://127.0.0.1:{at['redis']}"}
        peer = {"PRODUCT_SERVICE_URL": f"http://127.0.0.1:{self.gate_ports['peer']}"} if self.gated else {}
        return {
            "auth-service": {**database("auth_db"), **events, **keys},
            "product-service": {**database("product_db"), **events},
            "image-service": {"UPLOAD_DIR": str(self.folder / "images"), "IMAGE_BASE_URL": f"http://127.0.0.1:{self.port}", **keys},
            "cart-service": keys,
            "search-service": {"SEARCH": f"elasticsearch://127.0.0.1:{at['elasticsearch']}", **events},
            "order-service": {**database("order_db"), **events, **keys, **peer},
            "api-gateway": {},
        }

    def database_url(self, name, port):
        return f"postgres://shop:{self.password}@127.0.0.1:{port}/{name}"

    def start_store(self, name):
        settings = {}
        if name == "kafka" and self.gated:  # a broker tells its clients where to come: those of the gate, to the gate
            port = self.ports[name]
            settings["KAFKA_SETTINGS"] = " ".join([
                f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1},GATED://127.0.0.1:{port + 2}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{port},GATED://127.0.0.1:{self.gate_ports[name]}",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GATED:PLAINTEXT"])
        print("  " + component("start", name, self.folder, self.ports[name], **settings).strip(), flush=True)

    def make_administrator(self):
        email, password = self.administrator
        account = {"name": "Administrator", "email": email, "password": password, "role": "ADMIN"}
        answer = self.internal("auth-service", "POST", "/internal/accounts", {"accounts": [account]})
        assert answer.status in (200, 201), answer

    # --- talking to it

    def client(self, token=None, timeout=30):
        return Client(self.host, self.port, token, timeout)

    def admin(self):
        eventually(lambda: self.client().get("/auth/health").status == 200, START_LIMIT_S, 0.1)
        return self.client().log_in(*self.administrator)

    def internal(self, service, method, path, body=None, budget_ms=None, identity="shopctl", timeout=30, headers=None):
        """A request to the service itself; with identity "api-gateway" it is what the gateway would send."""
        connection = http.client.HTTPConnection("127.0.0.1", self.services[service].port, timeout=timeout)
        headers = {"X-Internal-Token": self.token, "X-Internal-Service": identity, "Content-Type": "application/json", **(headers or {})}
        if budget_ms:
            headers["X-Request-Budget-Ms"] = str(budget_ms)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def doctor(self, *arguments, patience=0):
        urls = [f"--{name}-database-url={self.database_url(name + '_db', self.ports['postgres'])}" for name in ("auth", "product", "order")]
        urls += [f"--elasticsearch-node=http://127.0.0.1:{self.ports['elasticsearch']}", f"--kafka-brokers=127.0.0.1:{self.ports['kafka']}"]
        services = {"CONSUL_AGENT_HOST": "127.0.0.1", "CONSUL_AGENT_PORT": str(self.ports["consul"]), "INTERNAL_TOKEN": self.token}
        return report_of(subprocess.run([program("shopctl"), "doctor", "--json", "--patience", str(patience), *urls, *arguments], capture_output=True, text=True,
                                        timeout=120, env={**os.environ, **services}))

    @contextlib.contextmanager
    def standing_still(self):
        """No service does anything."""
        for service in self.services.values():
            service.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for service in self.services.values():
                service.process.send_signal(signal.SIGCONT)

    def produce(self, topic, key, value):
        done = subprocess.run(["kcat", "-P", "-b", f"127.0.0.1:{self.ports['kafka']}", "-t", topic, "-k", key], input=value, text=True, capture_output=True, timeout=30)
        assert done.returncode == 0, f"kcat: {done.stderr}"

    def resident_mb(self):
        return sum(int(line.split()[1]) for service in self.services.values() for line in pathlib.Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
                   if line.startswith("VmRSS:")) / 1024

    def sql(self, database, statement):
        done = subprocess.run(["psql", "-XAtq", self.database_url(database, self.ports["postgres"]), "-c", statement], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def deadlocks(self):
        return int(self.sql("postgres", "SELECT COALESCE(SUM(deadlocks), 0) FROM pg_stat_database"))

    # --- killing it

    def victims(self):
        def of_store(name):
            return Victim(name, lambda: component("kill9", name, self.folder), lambda: self.start_store(name))
        return [Victim(service.name, service.kill, service.start, lambda s=service: s.get("/health/live", 1) == 200) for service in self.services.values()] + [
            of_store(name) for name in STORES]

    def ended_by_itself(self):
        gone = [service for service in self.services.values() if service.process.poll() is not None]
        return "".join(f"{service.name} ended by itself:\n{service.log.read_text()[-2000:]}" for service in gone)

    def whole(self):
        for service in self.services.values():
            eventually(service.ready, START_LIMIT_S, 0.1)
        for prefix in ("auth", "products", "orders", "carts", "search"):
            eventually(lambda: self.client().get(f"/{prefix}/health").status == 200, START_LIMIT_S, 0.1)

    def ends_well(self):
        codes = {}
        for service in self.services.values():
            service.process.terminate()
        for service in self.services.values():
            codes[service.name] = service.process.wait(30)
        bad = {name: code for name, code in codes.items() if code != 0}
        if bad:
            print(f"  services that did not end with 0: {bad}")
        return not bad
