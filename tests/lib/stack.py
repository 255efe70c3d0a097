"""The distributed shop that scripts/up started in a folder, as tests see it: the same interface as a shop in one process.

    SHOP_STACK=DIR tests/scenario/run.py            # a stack that runs already
    with started(demo=True) as stack: ...           # one of the test's own
    with begun() as stack: ...                      # the same, with services that are children of the test's process
"""
import argparse
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

import shop

sys.path.insert(0, str(shop.ROOT / "scripts"))
import distributed  # noqa: E402


class Stack(shop.Running):
    mode = "distributed"

    def __init__(self, folder):
        self.stack = folder if isinstance(folder, distributed.Stack) else distributed.Stack(folder)
        if not self.stack.services:
            raise AssertionError(f"No stack is in {folder}: scripts/up --state {folder} starts one.")

    def gateway(self, number=1):
        """The port of a gateway."""
        return self.stack.services[f"api-gateway-{number}"]["port"]

    @property
    def port(self):
        return self.gateway()

    def instances(self, service):
        return [name for name, entry in self.stack.services.items() if entry["service"] == service]

    def internal(self, service, method, path, body=None, instance=1, identity="shopctl", headers=None, limit_s=30):
        """A request past the gateway, with an operator's rights; with identity "api-gateway" it is what the gateway would send (not with mTLS)."""
        port, headers = self.stack.services[f"{service}-{instance}"]["port"], dict(headers or {})
        if self.stack.mtls:
            files = self.stack.credentials("shopctl")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_verify_locations(files["TLS_CA_FILE"])
            context.load_cert_chain(files["TLS_CERT_FILE"], files["TLS_KEY_FILE"])
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=limit_s, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
            headers |= {"X-Internal-Token": self.stack.internal_token, "X-Internal-Service": identity}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return shop.Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def shopctl(self, *arguments, limit_s=120):
        return self.stack.shopctl(*arguments, limit_s=limit_s)

    def tail(self, lines=30):
        return "\n".join(f"{name}: {self.stack.last_words(name)}" for name in self.stack.services)

    def pids(self):
        return [entry["pid"] for entry in self.stack.services.values() if entry["pid"]]

    def descriptors(self):
        """{instance: how many}"""
        return {name: len(os.listdir(f"/proc/{entry['pid']}/fd")) for name, entry in self.stack.services.items()}

    def resident_mb(self):
        return sum(map(shop.resident_mb, self.pids()))

    def cpu_seconds(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    # --- life and death of one instance

    def start(self, instance, wait=True):
        process = self.stack.start_service(instance)
        self.stack.save()
        if wait:
            self.stack.wait_ready([instance], {instance: process})
        return process

    def kill(self, instance):
        self.stack.stop_service(instance, signal.SIGKILL)
        self.stack.wait_ended([instance])

    def stop(self, instance, limit_s=15):
        self.stack.stop_service(instance)
        self.stack.wait_ended([instance], limit_s)

    @contextlib.contextmanager
    def standing_still(self):
        """No service does anything."""
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self.pids():
                os.kill(pid, signal.SIGCONT)

    # --- its stores

    def store_url(self, database):
        """Past whatever stands between it and the services."""
        password = (self.stack.folder / "components" / "postgres.password").read_text().strip()
        return f"postgres://shop:{password}@127.0.0.1:{self.stack.port('postgres')}/{database}"

    def sql(self, database, statement):
        done = subprocess.run(["psql", "-XAtq", self.store_url(database), "-c", statement], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def produce(self, topic, key, value):
        done = subprocess.run(["kcat", "-P", "-b", f"127.0.0.1:{self.stack.port('kafka')}", "-t", topic, "-k", key], input=value, text=True, capture_output=True,
                              timeout=30)
        assert done.returncode == 0, f"kcat: {done.stderr}"

    def component(self, verb, name):
        """start, stop, kill9, pause or resume."""
        if verb == "start":
            self.stack.start_component(name)
        else:
            self.stack.component(verb, name)


@contextlib.contextmanager
def started(demo=True, mtls=False, **settings):
    """A stack of the test's own, in a temporary folder; nothing is left of it."""
    folder = tempfile.mkdtemp(prefix="shop-stack-")
    command = [shop.ROOT / "scripts" / "up", "--state", folder, "--ports", "free", "--bin", shop.BIN, *(["--demo"] if demo else []), *(["--mtls"] if mtls else [])]
    for name, value in settings.items():
        command += ["--env", f"{name}={value}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise AssertionError(f"scripts/up: {done.stderr}")
        yield Stack(folder)
    finally:
        subprocess.run([shop.ROOT / "scripts" / "down", "--state", folder], capture_output=True, timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def begun(kind=Stack, components=None, services=None):
    """As started(), without demo data; the services are children of this process, so that their exit codes are known. `components` and `services` are what is
    known of them before: {name: entry of stack.json}."""
    stack = distributed.Stack(tempfile.mkdtemp(prefix="shop-stack-"))
    try:
        stack.begin(argparse.Namespace(bin=str(shop.BIN), mtls=False, env=[]))
        stack.state["components"].update(components or {})
        stack.services.update(services or {})
        with concurrent.futures.ThreadPoolExecutor() as pool:
            stack.start_components(pool)
        stack.start_services(0)
        yield kind(stack)
    finally:
        stack.down(delete=True)


@contextlib.contextmanager
def given_or_started(**settings):
    """The stack that SHOP_STACK names, or one of the test's own."""
    if os.environ.get("SHOP_STACK"):
        yield Stack(os.environ["SHOP_STACK"])
        return
    with started(**settings) as stack:
        yield stack


def run_tests(shop, tests, wanted=(), before=None):
    """One after the other, a line each, also after a failure; how many failed. A test is a function of the shop, or a tuple of one and what else it is given.
    `wanted`: names of those to run, none: all. `before(shop)`: what must hold before each."""
    failed = 0
    for test, *given in (each if isinstance(each, tuple) else (each,) for each in tests):
        if wanted and test.__name__ not in wanted:
            continue
        label = " ".join([test.__name__, *given[:1]])
        begun_at = time.monotonic()
        try:
            if before:
                before(shop)
            said = test(shop, *given) or ""
            print(f"  {label}: ok, {time.monotonic() - begun_at:.1f} s {said}", flush=True)
        except Exception as error:
            failed += 1
            print(f"  {label}: FAILED after {time.monotonic() - begun_at:.1f} s: {type(error).__name__}: {error}", flush=True)
    return failed
