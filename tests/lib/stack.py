"""The distributed shop that scripts/up started in a folder, as tests see it: the same interface as a shop in one process.

    SHOP_STACK=DIR tests/scenario/run.py            # a stack that runs already
    with started(demo=True) as stack: ...           # one of the test's own
"""
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
        self.stack = distributed.Stack(folder)
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

    def internal(self, service, method, path, body=None, instance=1):
        """A request past the gateway, with an operator's rights."""
        port, headers = self.stack.services[f"{service}-{instance}"]["port"], {}
        if self.stack.mtls:
            files = self.stack.credentials("shopctl")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_verify_locations(files["TLS_CA_FILE"])
            context.load_cert_chain(files["TLS_CERT_FILE"], files["TLS_KEY_FILE"])
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            headers = {"X-Internal-Token": self.stack.internal_token, "X-Internal-Service": "shopctl"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = shop.Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def shopctl(self, *arguments, limit_s=120):
        return self.stack.shopctl(*arguments, limit_s=limit_s)

    def tail(self, lines=30):
        return "\n".join(f"{name}: {self.stack.last_words(name)}" for name in self.stack.services)

    def pids(self):
        return [entry["pid"] for entry in self.stack.services.values() if entry["pid"]]

    def resident_mb(self):
        return sum(int(line.split()[1]) for pid in self.pids() for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                   if line.startswith("VmRSS:")) / 1024

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
def given_or_started(**settings):
    """The stack that SHOP_STACK names, or one of the test's own."""
    if os.environ.get("SHOP_STACK"):
        yield Stack(os.environ["SHOP_STACK"])
        return
    with started(**settings) as stack:
        yield stack


def run_tests(shop, tests, wanted=()):
    """One after the other, a line each, also after a failure; how many failed. `wanted`: names of those to run, none: all."""
    failed = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.monotonic()
        try:
            said = test(shop) or ""
            print(f"  {test.__name__}: ok, {time.monotonic() - begun:.1f} s {said}", flush=True)
        except Exception as error:
            failed += 1
            print(f"  {test.__name__}: FAILED after {time.monotonic() - begun:.1f} s: {type(error).__name__}: {error}", flush=True)
    return failed
