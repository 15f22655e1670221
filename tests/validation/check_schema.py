"""Checks what bops validate --json writes against its schema, and that the schema can tell.

usage: check_schema.py BOPS SCHEMA_DIRECTORY DIRECTORY_OF_VALIDATE_SCHEMAS; exit status 77: skipped.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, sys.argv[3])
import validate_schemas  # skips by itself without python3-jsonschema
import jsonschema

# Their keys are the categories of bops-workload; a null may be any number.
FREE = ("tallies", "weights")


def main():
    command = [sys.argv[1], "validate", "--quick", "--kernels", "stream", "--paper-scale", "--json"]
    written = subprocess.run(command, capture_output=True, text=True)
    if written.returncode != 0:
        print(written.stderr)
        return 1
    document = json.loads(written.stdout)
    schema = json.loads((pathlib.Path(sys.argv[2]) / "bops.validate.v1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = [f"{list(e.path)}: {e.message[:200]}" for e in validator.iter_errors(document)]

    # One row of each list is enough to damage; nulls are filled so that each field is tried.
    for name in ("rows", "sources", "calibrations", "decoded", "paper_scale", "verdicts", "builds"):
        if not document[name]:
            failures.append(f"no {name}")
        document[name] = document[name][:1]
    rejected = 0
    for what, wrong in validate_schemas.damaged(document):
        if any(f"'{key}', " in what for key in FREE):
            continue
        if what.startswith("a number at") and is_null(document, what):
            continue
        if validator.is_valid(wrong):
            failures.append(f"accepted {what}")
        rejected += 1
    print(f"{rejected} damaged documents tried")
    print("\n".join(failures[:40]))
    return 1 if failures or rejected < 200 else 0


def is_null(document, what):
    for key in eval(what.removeprefix("a number at ")):  # a tuple of our own making
        document = document[key]
    return document is None


if __name__ == "__main__":
    sys.exit(main())
