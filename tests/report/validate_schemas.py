"""Checks documents that bops writes against the shipped schemas, and that the schemas can tell.

usage: validate_schemas.py SAMPLE_WRITER SCHEMA_DIRECTORY; exit status 77: skipped.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def places(value, path=()):
    """All paths below value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in pairs:
        yield path + (key,)
        yield from places(member, path + (key,))


def parent_of(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


def damaged(document):
    """(what was done, a document that no schema may accept)."""
    for path in places(document):
        key, parent = path[-1], parent_of(document, path)
        value = parent[key]

        def with_value(new):
            copied = copy.deepcopy(document)
            parent_of(copied, path)[key] = new
            return copied

        if isinstance(parent, dict) and path[0] not in ("labels", "repeat") and "work" not in path[:-1]:
            copied = copy.deepcopy(document)
            owner = parent_of(copied, path)
            owner[key + "_"] = owner.pop(key)
            yield f"renamed {path}", copied
        if isinstance(value, int) and not isinstance(value, bool) and "statistics" not in path:
            yield f"a fraction at {path}", with_value(value + 0.5)
            yield f"beyond 64 bits at {path}", with_value(2**64)
            yield f"text at {path}", with_value(str(value))
        if isinstance(value, (dict, list)):
            yield f"a boolean at {path}", with_value(True)
        elif "statistics" not in path and not isinstance(value, float):
            yield f"a number at {path}", with_value(12.5)
    if document["schema"] == "bops.run.v1":
        for code in {w["code"] for w in document["warnings"] if w["code"].endswith("_not_measured")}:
            copied = copy.deepcopy(document)
            copied["warnings"] = [w for w in copied["warnings"] if w["code"] != code]
            yield f"no reason {code}", copied


def main():
    writer, schema_directory = sys.argv[1], pathlib.Path(sys.argv[2])
    failures, valid, rejected = [], 0, 0
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([writer, directory], check=True)
        for path in sorted(pathlib.Path(directory).glob("*.json")):
            name = path.name.split(".")[1]
            schema = json.loads((schema_directory / f"bops.{name}.v1.schema.json").read_text())
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            document = json.loads(path.read_text())
            errors = [f"{path.name}: {list(e.path)}: {e.message[:200]}" for e in validator.iter_errors(document)]
            failures += errors
            valid += not errors
            for what, wrong in damaged(document):
                if validator.is_valid(wrong):
                    failures.append(f"{path.name}: accepted {what}")
                rejected += 1
    print(f"{valid} documents valid, {rejected} damaged ones tried")
    print("\n".join(failures[:40]))
    if valid < 7 or rejected < 500:
        failures.append("too few documents")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
