#!/usr/bin/env python3
"""Reads the sources and says what does not belong: run from anywhere, exit code 1 when something was found."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULTS = []

# Who may include whom: a layer may include itself and those before it. Layers of one rank are listed where they may meet.
ALLOWED = {
    "base": {"base"},
    "codec": {"base", "codec"},
    "ports": {"base", "codec", "ports"},
    "adapters": {"base", "codec", "ports"},
    "net": {"base", "codec", "ports", "net"},
    "observe": {"base", "codec", "ports", "observe"},
    "runtime": {"base", "codec", "ports", "net", "observe", "runtime"},
    "services": {"base", "codec", "ports", "net", "observe", "runtime"},
    "apps": {"base", "codec", "ports", "adapters", "net", "observe", "runtime", "services", "apps"},
}
ADAPTERS_THAT_SPEAK_HTTP = {"consul", "elasticsearch"}

BANNED = [  # pattern, where it is allowed, what to use instead
    (r"system_clock|steady_clock::now|std::time\(|gettimeofday|clock_gettime", r"src/(adapters|net|observe|apps)/|src/base/worker_pool|src/runtime/(local_network|task_group)|_test\.cpp", "the Clock port"),
    (r"std::random_device|\brand\(\)|mt19937", r"src/adapters/(system|simulated)/|_test\.cpp", "the Random port"),
    (r"boost/beast", r"src/net/", "net/, which alone sees Beast"),
    (r"this_thread::sleep", r"src/(net/server|runtime/task_group|apps/)|_test\.cpp", "the Clock port"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", r"$^", "a finished change"),
    (r"std::cout|printf\(\"", r"src/apps/|src/adapters/sqlite/database.cpp", "observe/log"),
    (r"asio::detached", r"$^", "a counted task group, or a handler that rethrows"),
]
SQL = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE \w|DELETE FROM|CREATE TABLE) ')
WORDS = re.compile(r"deb\.debian\.org|pypi\.org|npmjs|maven\.org|proxy\.golang|crates\.io|/work/|/root/")


def fault(path, line, text):
    FAULTS.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def check_includes(path, number, line):
    found = re.match(r'#include "([a-z_0-9]+)/([a-z_0-9]+)', line)
    if not found or path.parts[len(ROOT.parts)] != "src":
        return
    parts = path.relative_to(ROOT / "src").parts
    layer, target, room = parts[0], found[1], found[2]
    if layer not in ALLOWED or path.name.endswith("_test.cpp"):
        return
    allowed = set(ALLOWED[layer])
    if layer == "adapters":
        if target == "net" and parts[1] in ADAPTERS_THAT_SPEAK_HTTP:
            allowed.add("net")
        if target == "adapters" and room == parts[1]:
            allowed.add("adapters")
    if layer == "services" and target == "services":
        if room == parts[1] or "/api.hpp" in line:
            allowed.add("services")
    if target not in allowed:
        fault(path, number, f"{layer} must not include {line.split(chr(34))[1]}")


def check_source(path, text):
    lines = text.splitlines()
    relative = str(path.relative_to(ROOT))
    if path.suffix == ".hpp" and not any(line.startswith("//") or line.lstrip().startswith("//") for line in lines[:25]):
        fault(path, 1, "a header says what it is for")
    for number, line in enumerate(lines, 1):
        check_includes(path, number, line)
        if len(line) > 160:
            fault(path, number, f"{len(line)} characters in a line")
        if not relative.startswith("src/"):
            continue
        for pattern, allowed, instead in BANNED:
            if re.search(pattern, line) and not re.search(allowed, relative):
                fault(path, number, f"{re.search(pattern, line)[0]}: use {instead}")
        if "/services/" in relative and not path.name.startswith("store") and not path.name.endswith("_test.cpp") and SQL.search(line):
            fault(path, number, "SQL outside the store")


def check_changes(path, text):
    """A row that is written back was read for change in the same function (ports/database.hpp)."""
    number = 1
    for function in re.split(r"(?<=\n\}\n)", text):
        written = re.search(r"store::update_\w+", function)
        if written and not re.search(r"store::(\w+_for_change|hold_\w+)\(", function[:written.start()]):
            fault(path, number + function[:written.start()].count("\n"), f"{written[0]}: read what it writes back with ..._for_change or after hold_...")
        number += function.count("\n")


def check_links(path, text):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not (path.parent / target).exists():
            fault(path, 1, f"links to {target}, which is not there")


def main():
    files = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True)
    for name in files.stdout.splitlines():
        path = ROOT / name
        if not path.is_file() or path.suffix in {".webp", ".png", ".gif", ".jpg", ".bin"} or "/corpus/" in name or "/heads/" in name:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if WORDS.search(line) and path != pathlib.Path(__file__).resolve() and not name.endswith("go.sum"):
                fault(path, number, f"names {WORDS.search(line)[0]}")
        if path.suffix in {".cpp", ".hpp"}:
            check_source(path, text)
            if name.startswith("src/services/"):
                check_changes(path, text)
        if path.suffix == ".md":
            check_links(path, text)
    for service in (ROOT / "src/services").iterdir():
        if service.is_dir() and not (service / "README.md").exists():
            fault(service, 1, "a service has a README.md")
    print("\n".join(FAULTS) if FAULTS else "The house is tidy.")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
