#!/usr/bin/env python3
"""Every setting of every program: tests/ops/settings.py [--write]

docs/settings.md lists what --help of the nine programs lists; --write brings it there. What cannot be read stops the start: exit code 2, one
sentence that names the setting as it was given, and its value unless it is a secret; nothing is heard of a port.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import shop as lib  # noqa: E402

SERVICES = ["api-gateway", "auth-service", "product-service", "image-service", "cart-service", "search-service", "order-service"]
COMMANDS = ["create-admin", "import", "reindex", "rotate-keys", "migrate", "demo", "doctor", "dlq", "certs", "weights"]
DOCUMENT = lib.ROOT / "docs" / "settings.md"
MARK = "<!-- From here on: tests/ops/settings.py --write -->\n"
OPTION = re.compile(r"  (--[\w-]+)(?: ([^\s=]+)(?:=(\S+))?)?(?: (?:REQUIRED|\.\.\.))*(?: \(Env:(\w+)\))?(?:\s+(\S.*))?$")
SLIP_FROM = 8  # letters: shorter names are not looked at for slips
LIMIT_S = 30

BAD_URLS = {"IMAGE_BASE_URL": ["localhost", "ftp://x", "http://", "http://a b", "http://x:abc/"],
            "SEARCH": ["solr://x:1", "elasticsearch://", "elasticsearch://x:abc", "elasticsearch://x:1,", "xapian:"],
            "DATABASE_URL": ["mysql://u:geheim@h/d", "postgres://u:geheim%zz@h/d", "postgres://u:geheim@h:abc/d", "postgres://u:geheim@h:70000/d", "sqlite:", "geheim"]}
BAD = {"true|false": ["yes", "TRUE", "1"], "IP": ["localhost", "1.2.3", "300.1.1.1"], "HOST": ["http://x", "a b", "x:1"],
       "HOST:PORT": ["ftp://x:1", "x:abc", "x:0", "x:70000", ":1", "x:1/path", "a b:1", "http://name:geheim@x:1"],
       "HOST:PORT,…": ["x:abc", "x:1,", ":1", "http://x:1", "x:1,,y:1"], "IP,…": ["localhost", "127.0.0.1,", "127.0.0.1,x"],
       "ORIGIN,…": ["shop.example.org", "https://x/path", "https://a b", "https://x,", "https://x,*", "https://x,y"],
       "NAME": ["a b", "a/b", "x" * 101], "NAME,…": ["api-gateway,../x"], "PEM": ["geheim"], "TEXT": ["two\nlines"]}


class Setting:
    def __init__(self, program, command, option, values, default, variable, meaning):
        self.program, self.command, self.option, self.values, self.default, self.variable, self.meaning = program, command, option, values, default, variable, meaning

    @property
    def secret(self):
        return bool(self.variable) and f"(also {self.variable}_FILE)" in self.meaning

    def bad(self):
        if span := re.fullmatch(r"(\d+)\.\.(\d+)", self.values):
            least, most = int(span[1]), int(span[2])
            return ["abc", str(least - 1), str(most + 1), f"{least}x", " 1", "1.5", "0x10", "+1", "99999999999999999999"]
        if self.values == "URL":
            return BAD_URLS["DATABASE_URL" if self.variable.endswith("DATABASE_URL") else self.variable][:5 if self.command else None]
        return BAD[self.values] if self.values in BAD else ["loud", "INFO"]  # a choice of words


def run(program, *arguments, **variables):
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return subprocess.run([lib.program(program), *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT_S, env={**environment, **variables})


def read_help(program, command=None):
    """Its settings, in order."""
    told = run(program, *([command] if command else []), "--help")
    assert told.returncode == 0, f"{program} --help: {told}"
    found, lines = [], told.stdout.split("Options:\n", 1)[1].split("\n\n", 1)[0].splitlines()
    for number, line in enumerate(lines):
        match = OPTION.match(line)
        if not match or match[1] == "--version":
            continue
        meaning = match[5] or (lines[number + 1].strip() if number + 1 < len(lines) and lines[number + 1].startswith(" " * 20) else "")
        found.append(Setting(program, command, match[1], match[2] or "", match[3] or "", match[4] or "", meaning))
    return found


def everything():
    commands = re.findall(r"^  ([a-z-]+) ", run("shopctl", "--help").stdout.split("Subcommands:\n", 1)[1], re.M)
    assert commands == COMMANDS, f"shopctl has the commands {commands}"
    jobs = [(name, None) for name in [*SERVICES, "shop", "shopctl"]] + [("shopctl", command) for command in COMMANDS]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [setting for some in pool.map(lambda job: read_help(*job), jobs) for setting in some]


# --- the document

def cell(text):
    return text.replace("|", "\\|")


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def code(text):
    return f"`{cell(text)}`" if text else ""


def whose(programs):
    if len(programs) == len(SERVICES):
        return "all"
    if len(programs) == len(SERVICES) - 1:
        return f"all but {next(name for name in SERVICES if name not in programs)}"
    return ", ".join(programs)


def services_table(settings):
    text = row(["variable", "option", "values", "default", "whose", "what it is"]) + row(["---"] * 6)
    for variable in dict.fromkeys(each.variable for each in settings if each.program in SERVICES):
        some = [each for each in settings if each.program in SERVICES and each.variable == variable]
        assert len({(each.option, each.values, each.meaning) for each in some}) == 1, f"{variable} is not the same everywhere: {[vars(each) for each in some]}"
        defaults = {each.default for each in some}
        default = code(defaults.pop()) if len(defaults) == 1 else "its own"
        text += row([code(variable), code(some[0].option), code(some[0].values), default, whose([each.program for each in some]), cell(some[0].meaning)])
    return text


def own_table(settings, program, command=None):
    text = row(["option", "variable", "values", "default", "what it is"]) + row(["---"] * 5)
    for each in settings:
        if each.program == program and each.command == command:
            text += row([code(each.option), code(each.variable), code(each.values), code(each.default), cell(each.meaning)])
    return text


def document(settings):
    defaults = {variable: ", ".join(f"{each.program} {each.default}" for each in settings if each.program in SERVICES and each.variable == variable)
                for variable in ("PORT",)}
    text = "\n## Services\n\n" + services_table(settings) + f"\n`PORT` by default: {defaults['PORT']}.\n`SERVICE_NAME`: the program's name. `TLS_ALLOW`: the services that "
    text += "call this one, and `shopctl`.\n\n## shop\n\n" + own_table(settings, "shop") + "\n## shopctl\n\n" + own_table(settings, "shopctl")
    for command in COMMANDS:
        if any(each.command == command for each in settings):
            text += f"\n`shopctl {command}`:\n\n" + own_table(settings, "shopctl", command)
    return text


def documented(settings):
    """docs/settings.md and --help say the same."""
    head, mark, kept = DOCUMENT.read_text().partition(MARK)
    assert mark, f"{DOCUMENT} has lost its mark"
    wanted = document(settings)
    if "--write" in sys.argv:
        DOCUMENT.write_text(head + MARK + wanted)
        kept = wanted
    assert kept == wanted, "docs/settings.md does not say what --help says: tests/ops/settings.py --write, and read what it wrote"
    assert not [each.option for each in settings if each.program in SERVICES and not each.variable], "a service has an option that is no variable"
    return f"{len(settings)} settings"


# --- what cannot be read

def complaint(ended, program, name, value=None, secret=False):
    said = ended.stderr.splitlines()
    where = f"{program} {name}={value!r}"
    assert ended.returncode == 2, f"{where}: exit code {ended.returncode}, {ended.stderr!r}"
    assert len(said) == 1 and said[0].startswith(f"{program}: ") and said[0].endswith("."), f"{where}: {ended.stderr!r}"
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said[0]), f"{where} is not named: {said[0]}"
    assert not ended.stdout, f"{where}: it began: {ended.stdout[:300]}"
    if value is None:
        return
    if secret or "@" in value:
        assert "geheim" not in said[0], f"{where}: a secret is told: {said[0]}"
    else:
        assert value.replace("\n", "?")[:100] in said[0], f"{where}: the value is not named: {said[0]}"


def refused(job):
    setting, value, by_variable = job
    command = [setting.command] if setting.command else ["migrate"] if setting.program == "shopctl" else []
    if by_variable:
        complaint(run(setting.program, *command, **{setting.variable: value}), setting.program, setting.variable, value, setting.secret)
        return
    arguments = [*command, setting.option, value] if setting.command else [setting.option, value, *command]
    complaint(run(setting.program, *arguments), setting.program, setting.option, value, setting.secret)


def unparsable(settings):
    """Every value that is wrong in its way where the setting is first met, one of them everywhere; as variable and as option."""
    jobs, met = [], set()
    for each in settings:
        if not each.variable:
            continue
        if each.command in ("import", "dlq", "weights"):  # these want arguments first; their formats are those of others
            assert (each.variable in met) or each.variable == "IMAGE_BASE_URL", each.variable
            continue
        values = each.bad() if each.variable not in met else each.bad()[:1]
        met.add(each.variable)
        jobs += [(each, value, True) for value in values] + [(each, values[0], False)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(refused, jobs))
    return f"{len(jobs)} starts, {len(met)} settings"


def slips(settings):
    """A name that is one of ours but for a slip; and no two of ours are so close, nor what others put into an environment."""
    names = sorted({each.variable for each in settings if each.variable} | {f"{each.variable}_FILE" for each in settings if each.secret})
    jobs = []
    for each in {each.variable: each for each in settings if each.variable and not each.command}.values():
        name = each.variable
        if len(name) < SLIP_FROM:
            continue
        middle = len(name) // 2
        wrong = [name[:middle] + name[middle + 1:], name[:middle] + "X" + name[middle:], name[:middle] + "Q" + name[middle + 1:], name.lower(), name + "S"]
        if name[middle] != name[middle + 1]:
            wrong.append(name[:middle] + name[middle + 1] + name[middle] + name[middle + 2:])
        for one in wrong:
            assert one not in names, f"{one} is a slip of {name}"
        jobs += [(each, one) for one in wrong if len(one) >= SLIP_FROM]
    def stopped(job):
        setting, one = job
        ended = run(setting.program, *(["migrate"] if setting.program == "shopctl" else []), **{one: "x"})
        complaint(ended, setting.program, one)
        assert setting.variable in ended.stderr, ended.stderr
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(stopped, jobs))
    others = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "PRODUCT_SERVICE_PORT": "tcp://10.0.0.2:3003", "PRODUCT_SERVICE_SERVICE_HOST": "10.0.0.2", "http_proxy": "http://x",
              "LOGNAME": "me", "SHELL": "sh", "HOSTNAME": "h", "PGPASSWORD": "x", "KAFKA_HOME": "/opt", "ES_JAVA_OPTS": "-Xmx1g", "LOG_FILE": "/x", "JWT_SECRET": "old"}
    ours = {each.variable: (each.default or "") for each in settings if each.variable}  # one environment for the whole shop: nobody minds the others' variables
    for service in SERVICES:
        ended = run(service, **{**others, **{name: value for name, value in ours.items() if name not in ("PORT", "INTERNAL_TOKEN")}})
        assert ended.returncode == 1 and "INTERNAL_TOKEN is missing" in ended.stderr, f"{service} minds what is not its own: {ended}"
    return f"{len(jobs)} of {len(names)} names"


def by_file(settings):
    """NAME_FILE is for secrets, names a file that can be read, and is the only way when it is given."""
    with tempfile.TemporaryDirectory() as folder:
        token, broken, huge = (pathlib.Path(folder) / name for name in ("token", "broken", "huge"))
        token.write_text("a-token-for-services-only\n")
        broken.write_text("mysql://u:geheim@h/d\n")
        huge.write_text("x" * (2 * 1024 * 1024))
        for each in {each.variable: each for each in settings if each.variable and not each.command and not each.variable.endswith("_FILE")}.values():
            command = ["migrate"] if each.program == "shopctl" else []
            name = f"{each.variable}_FILE"
            if not each.secret:
                complaint(run(each.program, *command, **{name: str(token)}), each.program, name, str(token))
                continue
            for path in (f"{folder}/nothing", folder, str(huge)):
                complaint(run(each.program, *command, **{name: path}), each.program, name, path)
            ended = run(each.program, *command, **{name: str(token), each.variable: "geheim-geheim-geheim"})
            complaint(ended, each.program, each.variable, secret=True)
            assert name in ended.stderr and "geheim" not in ended.stderr, ended
        complaint(run("order-service", DATABASE_URL_FILE=str(broken)), "order-service", "DATABASE_URL_FILE", "geheim", secret=True)
        read = run("api-gateway", INTERNAL_TOKEN_FILE=str(token), BIND="192.0.2.1", PORT="65535")  # an address that is not this machine's: it gets as far as that
        assert read.returncode == 1 and "192.0.2.1" in read.stderr, read


def missing(_):
    """Without it there is no start; which one is said."""
    token = {"INTERNAL_TOKEN": "a-token-for-services-only"}
    assert run("api-gateway", INTERNAL_TOKEN="short").returncode == 1
    wanted = {"auth-service": ["KAFKA_BROKERS", "DATABASE_URL", "REDIS_URL"], "product-service": ["KAFKA_BROKERS", "DATABASE_URL"], "image-service": ["UPLOAD_DIR"],
              "cart-service": ["REDIS_URL"], "search-service": ["KAFKA_BROKERS", "SEARCH"], "order-service": ["KAFKA_BROKERS", "DATABASE_URL", "REDIS_URL"]}
    good = {"KAFKA_BROKERS": "127.0.0.1:1", "DATABASE_URL": "postgres://u:p@127.0.0.1:1/d", "REDIS_URL": "redis://127.0.0.1:1", "SEARCH": "elasticsearch://127.0.0.1:1"}
    for service, names in wanted.items():
        for name in names:
            ended = run(service, **token, **{other: good[other] for other in names if other != name and other in good})
            assert ended.returncode == 1 and ended.stderr.count("\n") == 1 and f"{name} is missing" in ended.stderr, f"{service} without {name}: {ended}"
    told = run("order-service", "--help", PORT="abc")
    assert told.returncode == 0 and "--port" in told.stdout, "a wrong setting keeps the help away"


def main():
    settings = everything()
    for part in (documented, unparsable, slips, by_file, missing):
        begun = time.monotonic()
        said = part(settings) or ""
        print(f"{part.__name__:12} {time.monotonic() - begun:.2f} s  {said}")


if __name__ == "__main__":
    main()
