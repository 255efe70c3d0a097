"""The distributed shop on this machine: components, and every service as its own process. Behind scripts/up and scripts/down.

The state folder holds stack.json (what runs where), secrets/, components/, logs/ and uploads/, with --mtls also tls/.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts" / "components"
COMPONENTS = ["postgres", "redis", "kafka", "elasticsearch", "consul"]
REPLICAS = {"api-gateway": 2, "auth-service": 1, "product-service": 2, "image-service": 1, "cart-service": 1, "search-service": 2, "order-service": 1}
PREFIXES = {"auth-service": "auth", "product-service": "products", "image-service": "images", "cart-service": "carts", "search-service": "search",
            "order-service": "orders"}
DATABASES = {"auth-service": "auth_db", "product-service": "product_db", "order-service": "order_db"}
READY_LIMIT_S = 120
STOP_LIMIT_S = 15


class Trouble(Exception):
    """A sentence for whoever started it."""


def free_ports(count):
    """Ports that are free now; held open together, so that they differ."""
    listeners = [socket.socket() for _ in range(count)]
    try:
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def get(port, path, timeout=3):
    """(status, body); (0, "") when nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def begun(pid):
    """When the process began, in the kernel's ticks; nothing for one that has ended. With its pid this names it for good."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        return ""


class Stack:
    """What runs in a state folder. Read again from it by whoever names the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.file = self.folder / "stack.json"
        self.state = json.loads(self.file.read_text()) if self.file.exists() else {"components": {}, "services": {}, "bin": "", "image_base_url": ""}
        self.processes = {}  # of services that this object started

    # --- state

    def save(self):
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.state, indent=1))
        part.replace(self.file)

    @property
    def services(self):
        return self.state["services"]

    def port(self, component):
        return self.state["components"][component]["port"]

    def reached_at(self, component):
        """The port where services reach it: a test may have put something in between."""
        return self.state["components"][component].get("reached_at") or self.port(component)

    @property
    def internal_token(self):
        return (self.folder / "secrets" / "internal_token").read_text()

    @property
    def mtls(self):
        return self.state.get("mtls", False)

    def credentials(self, service):
        """By what a process is known: its certificate, or the word that all share."""
        if not self.mtls:
            return {"INTERNAL_TOKEN_FILE": str(self.folder / "secrets" / "internal_token")}
        tls = self.folder / "tls"
        return {"TLS_CERT_FILE": str(tls / f"{service}.pem"), "TLS_KEY_FILE": str(tls / f"{service}-key.pem"), "TLS_CA_FILE": str(tls / "ca.pem")}

    def watch_port(self, instance):
        """Where /health and /metrics are plain."""
        return self.services[instance].get("health_port") or self.services[instance]["port"]

    def log(self, instance):
        return self.folder / "logs" / f"{instance}.log"

    def runs(self, instance):
        entry = self.services[instance]
        return bool(entry["pid"]) and begun(entry["pid"]) == entry.get("begun")

    def database_url(self, service):
        password = (self.folder / "components" / "postgres.password").read_text().strip()
        return f"postgres://shop:{password}@127.0.0.1:{self.reached_at('postgres')}/{DATABASES[service]}"

    def environment(self, instance):
        entry = self.services[instance]
        service, secret = entry["service"], self.folder / "secrets"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return {**kept, "PORT": str(entry["port"]), "BIND": "127.0.0.1", "POD_IP": "127.0.0.1", "POD_HOSTNAME": instance.rsplit("-", 1)[1],
                "SERVICE_NAME": service, "CONSUL_AGENT_HOST": "127.0.0.1", "CONSUL_AGENT_PORT": str(self.reached_at("consul")), "ENVIRONMENT": "development",
                "HEALTH_PORT": str(entry.get("health_port", 0)), "DATABASE_URL_FILE": str(secret / f"{service}.database_url"),
                "KAFKA_BROKERS": f"127.0.0.1:{self.reached_at('kafka')}", "REDIS_URL": f"redis://127.0.0.1:{self.reached_at('redis')}",
                "ELASTICSEARCH_NODE": f"http://127.0.0.1:{self.reached_at('elasticsearch')}", "UPLOAD_DIR": str(self.folder / "uploads"),
                "IMAGE_BASE_URL": self.state["image_base_url"], **self.credentials(service), **self.state.get("environment", {}), **entry.get("environment", {})}

    # --- components

    def component(self, verb, name, *arguments, **more):
        done = subprocess.run([SCRIPTS / verb, name, self.folder / "components", *map(str, arguments)], capture_output=True, text=True, timeout=600, **more)
        if done.returncode != 0:
            raise Trouble(f"{verb} {name}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def start_component(self, name):
        said = self.component("start", name, self.port(name), env={**os.environ, **self.state["components"][name].get("environment", {})})
        self.state["components"][name]["pid"] = int(said.split("pid=")[1].split()[0])

    # --- services

    def start_service(self, instance):
        entry = self.services[instance]
        program = f"{self.state['bin']}/{entry['service']}"
        with open(self.log(instance), "ab") as log:
            process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder,
                                       env=self.environment(instance))
        entry["pid"], entry["begun"] = process.pid, begun(process.pid)
        self.processes[instance] = process
        return process

    def wait_ready(self, instances, processes, limit_s=READY_LIMIT_S):
        end = time.monotonic() + limit_s
        waiting = list(instances)
        while waiting:
            for instance in list(waiting):
                process = processes.get(instance)
                if process and process.poll() is not None:
                    raise Trouble(f"{instance} ended with {process.returncode}: {self.last_words(instance)}")
                if get(self.watch_port(instance), "/health/ready")[0] == 200:
                    waiting.remove(instance)
            if waiting and time.monotonic() > end:
                raise Trouble(f"{waiting[0]} was not ready within {limit_s} s: {self.last_words(waiting[0])}")
            time.sleep(0.05 if waiting else 0)

    def wait_found(self, limit_s=READY_LIMIT_S):
        """Until every gateway knows every service."""
        end = time.monotonic() + limit_s
        for instance, entry in self.services.items():
            if entry["service"] != "api-gateway":
                continue
            for service in sorted({e["service"] for e in self.services.values()} & set(PREFIXES)):
                while get(entry["port"], f"/{PREFIXES[service]}/health")[0] != 200:
                    if time.monotonic() > end:
                        raise Trouble(f"{instance} does not reach {service}: {get(entry['port'], '/' + PREFIXES[service] + '/health')}")
                    time.sleep(0.05)

    def last_words(self, instance):
        lines = self.log(instance).read_text(errors="replace").splitlines()
        return " / ".join(line for line in lines[-40:] if '"level":"info"' not in line)[-1500:] or "it said nothing"

    def stop_service(self, instance, how=signal.SIGTERM):
        """Tells it to end; nothing when it does not run. Ours alone: the pid must still be this process."""
        if self.runs(instance):
            os.kill(self.services[instance]["pid"], how)

    def wait_ended(self, instances, limit_s=STOP_LIMIT_S):
        end = time.monotonic() + limit_s
        while any(self.runs(i) for i in instances) and time.monotonic() < end:
            time.sleep(0.02)
        for instance in instances:
            self.stop_service(instance, signal.SIGKILL)

    # --- all

    def begin(self, options):
        if any(self.runs(i) for i in self.services):
            raise Trouble(f"A shop runs in {self.folder} already: scripts/down ends it.")
        binaries = pathlib.Path(options.bin).resolve()
        missing = [s for s in REPLICAS if not (binaries / s).exists()]
        if missing:
            raise Trouble(f"{binaries / missing[0]} is missing: run make build first.")
        for part in ("secrets", "components", "logs", "uploads"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # the database's own user passes it
        (self.folder / "components").chmod(0o711)
        for part in ("secrets", "logs", "uploads"):
            (self.folder / part).chmod(0o700)
        token = self.folder / "secrets" / "internal_token"
        if not token.exists():
            self.write_secret("internal_token", secrets.token_hex(32))
        self.state["bin"] = str(binaries)
        self.state["mtls"] = options.mtls
        if options.mtls:
            self.make_certificates()
        self.state["environment"] = dict(pair.split("=", 1) for pair in options.env)

    def make_certificates(self):
        """The CA when there is none, and new certificates under it."""
        done = subprocess.run([f"{self.state['bin']}/shopctl", "certs", "--dir", self.folder / "tls"], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Trouble(f"The certificates could not be made: {done.stderr.strip()}")

    def write_secret(self, name, text):
        path = self.folder / "secrets" / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)

    def start_components(self, pool):
        subprocess.run([SCRIPTS / "install", *COMPONENTS], check=True, stdout=subprocess.DEVNULL, timeout=7200)
        known = self.state["components"]
        new = [name for name in COMPONENTS if name not in known]
        ports = subprocess.run([SCRIPTS / "free-port", str(len(new))], capture_output=True, text=True, check=True).stdout.split() if new else []
        for name, port in zip(new, ports, strict=True):
            known[name] = {"port": int(port), "pid": 0}
        self.save()
        list(pool.map(self.start_component, COMPONENTS))
        self.save()
        done = subprocess.run([SCRIPTS / "createdb", self.folder / "components", str(self.port("postgres")), *DATABASES.values()], capture_output=True, text=True)
        if done.returncode != 0:
            raise Trouble(f"The databases could not be made: {done.stderr.strip()}")
        for service in DATABASES:
            self.write_secret(f"{service}.database_url", self.database_url(service))

    def start_services(self, gateway_port):
        instances = [f"{service}-{n}" for service, count in REPLICAS.items() for n in range(1, count + 1)]
        ports = free_ports(2 * len(instances))
        for instance, port, health_port in zip(instances, ports[::2], ports[1::2], strict=True):
            entry = self.services.setdefault(instance, {"service": instance.rsplit("-", 1)[0], "port": port, "pid": 0})
            if not is_free(entry["port"]):
                entry["port"] = port
            entry["health_port"] = health_port if self.mtls and entry["service"] != "api-gateway" else 0
        if gateway_port:
            self.services["api-gateway-1"]["port"] = gateway_port
        self.state["image_base_url"] = f"http://localhost:{self.services['api-gateway-1']['port']}"
        processes = {instance: self.start_service(instance) for instance in instances}
        self.save()
        self.wait_ready(instances, processes)
        self.wait_found()

    def shopctl(self, *arguments, limit_s=300):
        environment = {**os.environ, "CONSUL_AGENT_HOST": "127.0.0.1", "CONSUL_AGENT_PORT": str(self.port("consul")), **self.credentials("shopctl")}
        return subprocess.run([f"{self.state['bin']}/shopctl", *arguments], capture_output=True, text=True, timeout=limit_s, env=environment)

    def load_demo(self):
        mark = self.folder / "demo-loaded"
        if mark.exists():
            return
        done = self.shopctl("demo")
        if done.returncode != 0:
            raise Trouble(f"The demo data could not be loaded: {done.stderr.strip()}")
        mark.touch()

    def up(self, options):
        with concurrent.futures.ThreadPoolExecutor(len(COMPONENTS)) as pool:
            self.start_components(pool)
        self.start_services(options.port or (3000 if options.ports == "default" and is_free(3000) else 0))
        if options.demo:
            self.load_demo()

    def stop_services(self):
        instances = list(self.services)
        gateways = [i for i in instances if self.services[i]["service"] == "api-gateway"]
        for group in (gateways, [i for i in instances if i not in gateways]):  # the door first
            for instance in group:
                self.stop_service(instance)
            self.wait_ended(group)

    def begin_anew(self, mtls):
        """Every service ends and starts again, known by certificate or by the shared word; the components go on."""
        self.stop_services()
        self.state["mtls"] = mtls
        if mtls:
            self.make_certificates()
        self.start_services(self.services["api-gateway-1"]["port"])

    def down(self, delete):
        instances = list(self.services)
        self.stop_services()
        for instance in instances:
            self.services[instance]["pid"] = 0
        if self.state["components"]:
            with concurrent.futures.ThreadPoolExecutor(len(COMPONENTS)) as pool:
                patience = {"STOP_TIMEOUT_S": "3"} if delete else {}  # nothing of it is kept
                list(pool.map(lambda name: self.component("stop", name, env={**os.environ, **patience}), self.state["components"]))
            for entry in self.state["components"].values():
                entry["pid"] = 0
        if self.file.exists():
            self.save()
        if delete:
            shutil.rmtree(self.folder, ignore_errors=True)

    def table(self):
        rows = [("what", "pid", "port", "address", "log")]
        for name, entry in self.state["components"].items():
            rows.append((name, entry["pid"], entry["port"], f"127.0.0.1:{entry['port']}", self.folder / "components" / f"{name}.log"))
        for instance, entry in self.services.items():
            scheme = "https" if self.mtls and entry["service"] != "api-gateway" else "http"
            rows.append((instance, entry["pid"], entry["port"], f"{scheme}://localhost:{entry['port']}", self.log(instance)))
        rows = [[str(cell) for cell in row] for row in rows]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def main():
    arguments = argparse.ArgumentParser(prog="scripts/up, scripts/down", description="The distributed shop on this machine.")
    arguments.add_argument("verb", choices=["up", "down"])
    arguments.add_argument("--state", default=str(ROOT / ".run"), help="folder that holds everything (default: .run)")
    arguments.add_argument("--bin", default=os.environ.get("SHOP_BIN", str(ROOT / "build" / "bin")), help="folder of the programs (default: build/bin)")
    arguments.add_argument("--demo", action="store_true", default=os.environ.get("SEED_DEMO_DATA") == "true",
                           help="load the demo data, once (or SEED_DEMO_DATA=true)")
    arguments.add_argument("--port", type=int, default=int(os.environ.get("PORT", 0)), help="port of the first gateway (default: 3000 if it is free)")
    arguments.add_argument("--ports", choices=["default", "free"], default="default", help="free: the gateway takes any free port, too")
    arguments.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a setting for every service")
    arguments.add_argument("--mtls", action="store_true", help="services know each other by certificate, made anew, not by a shared credential")
    arguments.add_argument("--delete", action="store_true", help="down: delete the folder")
    options = arguments.parse_args()
    stack, start, ours = Stack(options.state), time.monotonic(), False
    try:
        if options.verb == "down":
            stack.down(options.delete)
            print(f"Nothing of {stack.folder} runs any more.")
            return 0
        stack.begin(options)
        ours = True
        stack.up(options)
        print(stack.table())
        print(f"\nThe shop is open at http://localhost:{stack.services['api-gateway-1']['port']} ({time.monotonic() - start:.1f} s). scripts/down ends it.")
        return 0
    except (Trouble, subprocess.SubprocessError, OSError) as trouble:
        print(f"{options.verb}: {trouble}", file=sys.stderr)
        if ours:
            stack.down(False)
        return 1
    except KeyboardInterrupt:
        if ours:
            stack.down(False)
        return 130


if __name__ == "__main__":
    sys.exit(main())
