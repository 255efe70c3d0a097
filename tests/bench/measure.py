"""What the benchmarks share: processes and their CPU time, the load generator, peers, the result's table and file.

House rule (docs/benchmarks.md): same machine, same minute, pairs A B A B, medians and ratios; CPU per request over every process that
serves it, until what the requests left behind is done too; an unexpected answer voids the run.
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

COMPONENTS = ROOT / "scripts" / "components"
TICK = os.sysconf("SC_CLK_TCK")
QUIET_CORES = 0.1   # less than this of a core over QUIET_S: nothing is left to do
QUIET_S = 0.25
QUIET_LIMIT_S = 20


def cpu_seconds(pids):
    """User and system time of these processes and of the children that they still have."""
    total = 0.0
    for pid in descendants(pids):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
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


def settle(pids, cores=QUIET_CORES):
    """Waits until these processes have nothing left to do: events to publish, an index to write. What it took of their time counts."""
    end, before = time.monotonic() + QUIET_LIMIT_S, cpu_seconds(pids)
    while time.monotonic() < end:
        time.sleep(QUIET_S)
        now = cpu_seconds(pids)
        if now - before <= cores * QUIET_S:
            return
        before = now


def resident_mb(pids, kind="Pss"):
    """Pss counts what several processes share once; Rss is what one alone has."""
    total = 0
    for pid in descendants(pids):
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(kind + ":"):
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

    @classmethod
    def of_lines(cls, lines):
        """Of rows that are written already."""
        load = cls([])
        pathlib.Path(load.file.name).write_text(lines)
        return load

    def run(self, port, pids, connections=32, seconds=5.0, rate=0, warm_up=0.5, quiet_cores=None, host="127.0.0.1"):
        """The generator's figures, with cpu_us: CPU time of `pids` for each request. With `quiet_cores` also of what follows the answers."""
        if warm_up:
            self.send(port, connections, warm_up, rate, host)
        if quiet_cores is not None:
            settle(pids, quiet_cores)
        before = cpu_seconds(pids)
        result = self.send(port, connections, seconds, rate, host)
        if quiet_cores is not None:
            settle(pids, quiet_cores)
        result["cpu_us"] = round((cpu_seconds(pids) - before) * 1e6 / max(1, result["requests"]), 1)
        if result["unexpected"]:
            raise Void(f"{result['unexpected']} unexpected answers, the first: {result['first_unexpected']}")
        if not result["requests"]:
            raise Void("no request was answered")
        return result

    def send(self, port, connections, seconds, rate, host="127.0.0.1"):
        command = [shop.program("load"), "--connect", f"{host}:{port}", "--requests", self.file.name, "--connections", str(connections),
                   "--seconds", str(seconds), "--warm-up", "0", "--rate", str(rate), "--first-number", str(Load.number), "--timeout", "20"]
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


def ask(*arguments, limit_s=120):
    """build/bin/ask: an engine asked without a shop around it."""
    done = subprocess.run([shop.program("ask"), *map(str, arguments)], capture_output=True, text=True, timeout=limit_s)
    if done.returncode:
        raise Void(done.stderr.strip())
    return done.stdout


class Peer:
    """A server of somebody else's, in the foreground, on a folder of its own."""

    def __init__(self, command, port, folder, environment=None):
        self.port, self.folder = port, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = open(self.folder / "peer.log", "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})})
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
        raise Void(f"{command[0]} did not start: {(self.folder / 'peer.log').read_text()[-500:]}")

    @property
    def pids(self):
        return [self.process.pid]

    def close(self):
        shop.ended(self.process, 10)
        self.log.close()


class Component:
    """One of scripts/components, in a folder of its own."""

    def __init__(self, name, folder):
        self.name, self.folder = name, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # PostgreSQL's own user passes it
        self.script("install", name)
        self.port = int(self.script("free-port").split()[0])
        self.pid = int(self.script("start", name, self.folder, self.port).split("pid=")[1].split()[0])

    @staticmethod
    def script(verb, *arguments):
        done = subprocess.run([COMPONENTS / verb, *map(str, arguments)], capture_output=True, text=True, timeout=3600)
        if done.returncode:
            raise Void(f"{verb} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def close(self):
        subprocess.run([COMPONENTS / "stop", self.name, self.folder], capture_output=True, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Pgbench:
    """tests/bench/pgbench on a PostgreSQL, in a database of its own. `folder` holds the server's password."""

    def __init__(self, port, folder, seconds):
        self.seconds = max(3, round(seconds))  # it has 16 connections to open first
        self.environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "shop", "PGDATABASE": "bench",
                            "PGPASSWORD": (pathlib.Path(folder) / "postgres.password").read_text().strip()}
        self.psql("postgres", "-c", "DROP DATABASE IF EXISTS bench", "-c", "CREATE DATABASE bench")
        self.psql("bench", "-f", str(ROOT / "tests/bench/pgbench/schema.sql"))
        self.psql("bench", "-c", "VACUUM ANALYZE", "-c", "CHECKPOINT")

    def psql(self, database, *arguments):
        subprocess.run([needed("psql", "postgresql-client-15"), "-q", "-v", "ON_ERROR_STOP=1", *arguments], check=True, timeout=120,
                       env={**self.environment, "PGDATABASE": database, "PGOPTIONS": "--client-min-messages=warning"})

    def run(self, script, clients=16):
        """Transactions a second. A run in which nothing was done, because the machine did not let it begin, is made once more, longer."""
        for seconds in (self.seconds, 3 * self.seconds):
            done = subprocess.run([needed("pgbench", "postgresql-contrib"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
                                   "-f", str(ROOT / f"tests/bench/pgbench/{script}.sql")],
                                  capture_output=True, text=True, timeout=seconds + 120, env=self.environment)
            if done.returncode:
                raise Void(f"pgbench: {done.stderr.strip()[-300:]}")
            found = [line for line in done.stdout.splitlines() if line.startswith("tps = ")]
            if found and float(found[0].split()[2]) > 0:
                if "number of failed transactions: 0 " not in done.stdout:
                    raise Void(f"pgbench: {done.stdout[-400:]}")
                return float(found[0].split()[2])
        raise Void(f"pgbench did nothing in {seconds} s: {done.stderr.strip()[-300:]}")

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
    """Rows of what was measured: goal, bench, what, figure, unit, aim, reached; beside a peer also ours, peer, peer_name, low and high."""

    def __init__(self):
        self.rows, self.bench = [], ""

    def add(self, goal, what, figure, unit="", at_most=None, at_least=None, **more):
        reached, aim = None, ""
        if at_most is not None:
            reached, aim = figure <= at_most, f"<= {at_most:g}"
        if at_least is not None:
            reached, aim = figure >= at_least, f">= {at_least:g}"
        self.rows.append({"goal": goal, "bench": self.bench, "what": what, "figure": float(f"{figure:.6g}"), "unit": unit, "aim": aim, "reached": reached, **more})
        mark = {True: "reached", False: "NOT reached", None: ""}[reached]
        beside = f"({more['ours']:,.4g} beside {more['peer']:,.4g} {more['of']} of {more['peer_name']}; {more['low']:.3g} to {more['high']:.3g})" if "peer" in more else ""
        print(f"  {goal:>2}  {what:<70} {figure:>10,.4g} {unit:<9} {aim:<9} {mark} {beside}", flush=True)

    def versus(self, goal, what, ours, peer, of, peer_name, at_most=None, at_least=None):
        """Ours over the peer's by pairs; the figure is the median of the ratios."""
        ratios = [a / b for a, b in zip(ours, peer, strict=True)]
        self.add(goal, what, middle(ratios), "x", at_most, at_least, ours=float(f"{middle(ours):.6g}"), peer=float(f"{middle(peer):.6g}"), of=of, peer_name=peer_name,
                 low=float(f"{min(ratios):.4g}"), high=float(f"{max(ratios):.4g}"), pairs=len(ratios))

    def void(self, reason):
        self.rows.append({"goal": "", "bench": self.bench, "what": f"void: {reason}", "figure": 0, "unit": "", "aim": "", "reached": False, "void": True})
        print(f"  void: {reason}", flush=True)
