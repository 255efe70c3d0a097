"""The shop that the fault tests attack, in either mode: how to log in, how to examine it, what can be killed."""
import contextlib
import dataclasses
import json
import os
import subprocess
from collections.abc import Callable

from shop import OneProcess, program


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


CURRENT = None  # a shop that several tests share


@contextlib.contextmanager
def mode(**more):
    """One process, or with SHOP_MODE=distributed a process per service on the real stores."""
    if CURRENT:
        yield CURRENT
        return
    if os.environ.get("SHOP_MODE") == "distributed":
        from stacked import Stacked

        with Stacked() as stack:
            yield stack
        return
    with Alone(**more) as shop:
        yield shop
