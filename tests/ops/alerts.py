#!/usr/bin/env python3
"""The alert rules are valid, and every metric that they name is exported by a running shop."""
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import shop as lib  # noqa: E402

RULES = lib.ROOT / "deploy/observability/alerts.yml"
MADE_BY_PROMETHEUS = {"up"}
WORDS = {"increase", "rate", "sum", "max", "by", "and", "histogram_quantile", "handler", "le", "status"}


def main():
    promtool = shutil.which("promtool") or sys.exit("promtool is missing: apt-get install prometheus.")
    checked = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    expressions = re.findall(r"^\s+expr: (.*)$", RULES.read_text(), re.M)
    bare = [re.sub(r"\"[^\"]*\"|\[\d+m\]|#.*", "", expression) for expression in expressions]
    named = {word for expression in bare for word in re.findall(r"[a-z_]{2,}", expression)} - WORDS - MADE_BY_PROMETHEUS
    with lib.OneProcess(demo=True) as shop:
        shop.client().get("/products")
        exported = {re.split(r"[{ ]", line)[0] for line in shop.client().get("/metrics").text.splitlines() if not line.startswith("#")}
    assert named and named <= exported, f"rules name what nobody exports: {sorted(named - exported)}"
    print(f"{len(expressions)} alert rules, {len(named)} metrics, all exported")


if __name__ == "__main__":
    main()
