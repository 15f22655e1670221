"""Checks the records that bops run --usage writes against their schema, and that the schema can tell.

usage: check_schema.py BOPS SCHEMA_DIRECTORY; exit status 77: skipped.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

DAMAGES = (
    lambda r: r.pop("source"),
    lambda r: r.update(specversion="0.3"),
    lambda r: r["data"].update(quantity="-1"),
    lambda r: r["data"].update(quantity=1),
    lambda r: r["data"].update(meter="flops"),
    lambda r: r["data"].update(method="guessed"),
    lambda r: r["data"].update(prev="0"),
    lambda r: r["data"].pop("end"),
    lambda r: r.update(time="yesterday"),
    lambda r: r.update(type="bops.usage.reversal.v1"),
)


def main():
    schema = json.loads((pathlib.Path(sys.argv[2]) / "bops.usage.v1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with tempfile.TemporaryDirectory() as scratch:
        records = os.path.join(scratch, "r.jsonl")
        ran = subprocess.run(
            [sys.argv[1], "run", "--usage", records, "--tenant", "acme", "--work", "tokens=5", "-o",
             os.path.join(scratch, "r.json"), "--", "/bin/true"],
            env=dict(os.environ, XDG_CONFIG_HOME=scratch), capture_output=True, text=True)
        if ran.returncode != 0:
            print(ran.stderr)
            return 1
        lines = [json.loads(line) for line in open(records)]
    failures = [f"{list(e.path)}: {e.message[:200]}" for r in lines for e in validator.iter_errors(r)]
    if len(lines) < 4:
        failures.append(f"only {len(lines)} records")
    for number, damage in enumerate(DAMAGES):
        record = copy.deepcopy(lines[0])
        damage(record)
        if validator.is_valid(record):
            failures.append(f"damage {number} is not seen")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
