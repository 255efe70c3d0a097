"""What the benchmarks share: processes and their CPU time, the load generator, peers, the result's table and file.

House rule (docs/benchmarks.md): same machine, same minute, pairs A B A B, medians and ratios; CPU per request over every process that
serves it; an unexpected answer voids the run.
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import shop  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time of these processes and of the children that they still have."""
    total = 0.0
    for pid in descendants(pids):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def descendants(pids):
    seen, waiting = set(), list(pids)
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            continue
        seen.add(pid)
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting.extend(int(child) for child in task.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                pass
    return seen


def resident_mb(pids):
    total = 0
    for pid in descendants(pids):
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1024


class Void(Exception):
    """A run that answered something unexpected: it measures nothing."""


class Load:
    """A file of requests, sent by build/bin/load."""

    number = 0

    def __init__(self, requests):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".requests", delete=False)
        for method, path, expect, *rest in requests:
            row = {"method": method, "path": path, "expect": expect if isinstance(expect, list) else [expect]}
            if rest and rest[0] is not None:
                row["body"] = rest[0] if isinstance(rest[0], str) else json.dumps(rest[0])
            if len(rest) > 1:
                row["headers"] = rest[1]
            self.file.write(json.dumps(row) + "\n")
        self.file.close()

    def run(self, port, pids, connections=32, seconds=5.0, rate=0, warm_up=1.0, host="127.0.0.1"):
        """The generator's figures, with cpu_us: CPU time of `pids` for each request."""
        if warm_up:
            self.send(port, connections, warm_up, rate, host)
        before = cpu_seconds(pids)
        result = self.send(port, connections, seconds, rate, host)
        result["cpu_us"] = round((cpu_seconds(pids) - before) * 1e6 / max(1, result["requests"]), 1)
        if result["unexpected"]:
            raise Void(f"{result['unexpected']} unexpected answers, the first: {result['first_unexpected']}")
        return result

    def send(self, port, connections, seconds, rate, host):
        command = [shop.program("load"), "--connect", f"{host}:{port}", "--requests", self.file.name, "--connections", str(connections),
                   "--seconds", str(seconds), "--warm-up", "0", "--rate", str(rate), "--first-number", str(Load.number)]
        Load.number += 10_000_000
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
        if done.returncode:
            raise Void(done.stderr.strip())
        return json.loads(done.stdout)

    def close(self):
        os.unlink(self.file.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def middle(values):
    return statistics.median(values)


def pairs(runs, *subjects):
    """Every subject once, `runs` times over: A B A B. A list of results for each."""
    results = [[] for _ in subjects]
    for _ in range(runs):
        for result, subject in zip(results, subjects):
            result.append(subject())
    return results


class Peer:
    """A server of somebody else's, in the foreground, on a folder of its own."""

    def __init__(self, command, port, folder):
        self.port, self.folder = port, folder
        self.log = open(pathlib.Path(folder) / "peer.log", "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                shop.Client("127.0.0.1", port, timeout=1).get("/")
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.close()
        raise SystemExit(f"{command[0]} did not start: {(pathlib.Path(folder) / 'peer.log').read_text()[-500:]}")

    @property
    def pids(self):
        return [self.process.pid]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Pgbench:
    """tests/bench/pgbench on the stack's own PostgreSQL, in a database of its own."""

    def __init__(self, running, seconds):
        self.seconds, folder, port = seconds, running.stack.folder / "components", running.stack.port("postgres")
        self.environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "shop", "PGDATABASE": "bench",
                            "PGPASSWORD": (folder / "postgres.password").read_text().strip()}
        self.psql("postgres", "-c", "DROP DATABASE IF EXISTS bench", "-c", "CREATE DATABASE bench")
        self.psql("bench", "-f", str(ROOT / "tests/bench/pgbench/schema.sql"))

    def psql(self, database, *arguments):
        subprocess.run([needed("psql", "postgresql-client-15"), "-q", "-v", "ON_ERROR_STOP=1", *arguments], check=True, timeout=120,
                       env={**self.environment, "PGDATABASE": database, "PGOPTIONS": "--client-min-messages=warning"})

    def run(self, script, clients):
        """Transactions a second."""
        done = subprocess.run([needed("pgbench", "postgresql-contrib"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(self.seconds))),
                               "-f", str(ROOT / f"tests/bench/pgbench/{script}.sql")], capture_output=True, text=True, timeout=self.seconds + 120, env=self.environment)
        if done.returncode or "tps = " not in done.stdout:
            raise Void(f"pgbench: {done.stderr.strip()[-300:]}")
        return float(done.stdout.split("tps = ")[1].split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.psql("postgres", "-c", "DROP DATABASE bench")


def needed(command, package):
    path = shutil.which(command) or shutil.which(command, path="/usr/sbin:/usr/lib/postgresql/15/bin")
    if not path:
        raise SystemExit(f"{command} is missing: apt-get install {package}.")
    return path


def filled(template, folder, name, **values):
    """A peer's settings from tests/bench/peers with @NAME@ filled in; the path of the file."""
    text = (ROOT / "tests/bench/peers" / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path


class Table:
    """Rows of (goal, what, figure, unit, aim, reached)."""

    def __init__(self):
        self.rows = []

    def add(self, goal, what, figure, unit="", aim=None, at_most=None, at_least=None):
        reached = None
        if at_most is not None:
            reached, aim = figure <= at_most, aim or f"<= {at_most}"
        if at_least is not None:
            reached, aim = figure >= at_least, aim or f">= {at_least}"
        self.rows.append({"goal": goal, "what": what, "figure": figure, "unit": unit, "aim": aim or "", "reached": reached})
        mark = {True: "reached", False: "NOT reached", None: ""}[reached]
        print(f"  {goal:>2}  {what:<66} {figure:>10,.4g} {unit:<9} {aim or '':<12} {mark}", flush=True)
