#!/usr/bin/env python3
"""The figures of docs/benchmarks.md, beside peers, in one run.

    bench.py [NAME...] [--quick] [--seconds S] [--runs N] [--products N] [--json FILE]

--quick takes less data and shorter runs, pairs are five all the same: to see that it works, not to quote. `make bench` builds what is
needed first. A benchmark that meets an unexpected answer is void: it is named, the others go on, and the exit code is 1.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
import gateway
import growth
import k6
import many_processes
import one_process
from measure import ROOT
from subjects import Bench

ALL = {"footprint": one_process.footprint, "catalogue": one_process.catalogue, "search": one_process.search, "login": one_process.login,
       "checkout": one_process.checkout, "hot": one_process.hot, "gateway": gateway.gateway, "growth": growth.growth,
       "distributed": many_processes.distributed, "distributed-search": many_processes.distributed_search, "modes": many_processes.modes, "k6": k6.bench}


def said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/lib/postgresql/15/bin"})
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def circumstances(bench):
    """What the figures were made with."""
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": said("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"),
            "cores": os.cpu_count(), "processor": model, "memory_gb": round(memory, 1), "kernel": platform.release(), "quick": bench.quick,
            "seconds": bench.seconds, "runs": bench.runs, "products": bench.products,
            "versions": {"haproxy": said("haproxy", "-v").split(" - ")[0], "nginx": said("nginx", "-v"), "pgbench": said("pgbench", "--version"),
                         "compiler": said("clang++-19", "--version")}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(ALL))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, help="of each run (2.5; quick 1.5)")
    parser.add_argument("--runs", type=int, help="of each subject (5)")
    parser.add_argument("--products", type=int, help="of the large catalogue (10000; quick 1000)")
    parser.add_argument("--largest", type=int, help="products of the last step of growth (100000; quick 1000; 1000000 takes half an hour)")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ALL):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # what was started is ended too
    bench, failed, begun, took = Bench(options), 0, time.monotonic(), {}
    try:
        for name in options.names or ALL:
            start, bench.table.bench = time.monotonic(), name
            print(f"{name}: {ALL[name].__doc__}", flush=True)
            try:
                ALL[name](bench)
            except (Exception, SystemExit) as trouble:  # one that fails must not cost the others
                if str(trouble) == "ended from outside":
                    raise
                failed = 1
                if not type(trouble).__name__ == "Void":
                    traceback.print_exc()
                bench.table.void(str(trouble) or type(trouble).__name__)
            took[name] = round(time.monotonic() - start)
            print(f"  {took[name]} s", flush=True)
            if options.json:  # what is measured so far is kept, whatever happens
                pathlib.Path(options.json).write_text(json.dumps({"made": {**circumstances(bench), "took_s": took}, "rows": bench.table.rows}, indent=1) + "\n")
    finally:
        bench.close()
    print(f"all: {time.monotonic() - begun:.0f} s; goals reached {sum(r['reached'] is True for r in bench.table.rows)}, "
          f"not reached {sum(r['reached'] is False for r in bench.table.rows)}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
