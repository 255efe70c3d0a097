#!/usr/bin/env python3
"""Schemathesis against /openapi.json: tests/openapi/run.py [SECONDS]   (default 60; SHOP_STACK as everywhere)

Generated requests, valid and invalid, for every operation, alone and in sequences; 0 failures are allowed. Schemathesis lives in a
virtual environment in the cache folder, made on first use from requirements.txt.
"""
import contextlib
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from shop import opened  # noqa: E402

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
          "missing_required_header", "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth"]
# Left out, each with its reason:
#   positive_data_acceptance     a schema cannot say which ids, currencies and permissions exist; the contract answers 400 when one does not
#   object_level_authorization   needs two accounts that own objects: tests/security/accounts.py and matrix.py try every route with three

# Chosen here, not on the command line, where no operation could be an exception: a deleted account is a deactivated one, which the
# contract has found afterwards.
SETTINGS = f"hooks = '{HERE / 'hooks.py'}'\n[checks]\nenabled = false\n" + "".join(f"{check}.enabled = true\n" for check in CHECKS) + """
[[operations]]
include-path = "/auth/users/{id}"
checks.use_after_free.enabled = false
"""


def environment():
    """The virtual environment's folder, made when it is not there or was made from other versions."""
    wanted = (HERE / "requirements.txt").read_bytes() + sys.version.encode()
    cache = pathlib.Path(os.environ.get("SHOP_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "shop")
    folder = cache / f"schemathesis-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    print("  making the environment of schemathesis")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    installed = subprocess.run([folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], timeout=600)
    if installed.returncode:
        sys.exit("Schemathesis could not be installed: is there a network?")
    (folder / "complete").touch()
    return folder


@contextlib.contextmanager
def roles_kept(shop):
    """Generated requests give roles other names and other permissions. Who uses this stack afterwards finds them as they were."""
    before = shop.admin().get("/auth/roles").json()
    try:
        yield
    finally:
        admin = shop.admin()
        present = {role["id"]: role for role in admin.get("/auth/roles").json()}
        for role in before:
            now, wanted = present.get(role["id"]), {permission["id"] for permission in role["permissions"]}
            if now and (now["name"], now["description"]) == (role["name"], role["description"]) and {permission["id"] for permission in now["permissions"]} == wanted:
                continue
            body = {"name": role["name"], "description": role["description"], "permissionIds": sorted(wanted)}
            answer = admin.put(f"/auth/roles/{role['id']}", body) if now else admin.post("/auth/roles", body)
            assert answer.status in (200, 201), f"the role {role['name']} cannot be put back: {answer}"


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = random.randrange(2**32) if "--explore" in sys.argv else 20261124  # the same cases in every `make test`; `make schemathesis` explores
    tool = environment() / "bin" / "st"
    with opened(demo=True) as shop, roles_kept(shop), tempfile.TemporaryDirectory(prefix="shop-openapi-") as folder:
        token = shop.admin().token
        # One worker: of two, one deletes what the other has just made and expects to find, and Python 3.11's parser fails now and then when
        # two threads of Hypothesis use it.
        command = [tool, "run", f"{shop.url}/openapi.json", "-H", f"Authorization: Bearer {token}", "--workers", "1", "--max-time", str(seconds),
                   "--request-timeout", "30", "--suppress-health-check", "all", "--warnings", "off"]
        (pathlib.Path(folder) / "schemathesis.toml").write_text(SETTINGS)
        output = pathlib.Path(folder) / "output"
        for attempt in range(4):  # now and then the tool itself ends with a traceback: other cases, then
            with open(output, "wb") as out:
                code = subprocess.run([*command, "--seed", str(seed + attempt)], stdout=out, stderr=subprocess.STDOUT, cwd=folder, env={**os.environ, "NO_COLOR": "1"}, timeout=seconds * 3 + 300).returncode
            text = output.read_text(errors="replace")
            if "Please consider reporting the traceback" not in text:
                break
            print(f"Schemathesis itself ended with a traceback under seed {seed + attempt}.")
        else:
            sys.exit("Schemathesis ended with a traceback of its own under every seed: see tests/openapi/requirements.txt for its version.")
        sections = [at for at in (text.find(f"= {name} =") for name in ("ERRORS", "FAILURES", "SUMMARY")) if at >= 0]
        tail = text[min(sections, default=0):]
        print(tail[-20000:] if code else tail)
        alive = shop.client().get("/health").status == 200
        if code or not alive:
            print("\n".join(line for line in text.splitlines() if "ERROR" in line)[:2000])
            sys.exit(1)
        tested = [line for line in text.splitlines() if "Tested:" in line]
        if not tested or int(tested[0].split(":")[1]) < 60:
            sys.exit(f"Too few operations were tested: {tested}")


if __name__ == "__main__":
    main()
