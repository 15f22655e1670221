"""Checks the event files against their schema, and that the schema can tell.

usage: check_schema.py SCHEMA EVENT_FILE...; exit status 77: skipped.
"""

import copy
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def damaged(document):
    """(what was done, a document that the schema must reject)."""
    for key in document:
        if key in ("groups_hyperthreading", "vector_note"):
            continue
        copied = copy.deepcopy(document)
        del copied[key]
        yield f"without {key}", copied
    for role in document["events"]:
        for key, value in (("code", "c0"), ("unit", "retired"), ("counters", 3), ("name", None)):
            copied = copy.deepcopy(document)
            copied["events"][role][key] = value
            yield f"{role}: {key} is {value!r}", copied
    for key, value in (("margin", 0), ("margin", 0.5), ("match", []), ("sources", []), ("groups", []),
                       ("groups", [["loads", "stores", "branches"]]), ("note", "no such member")):
        copied = copy.deepcopy(document)
        copied[key] = value
        yield f"{key} is {value!r}", copied
    copied = copy.deepcopy(document)
    if copied["vector"]:
        copied["vector"] = []
        yield "no vector events and no word why", copied
    else:
        del copied["vector_note"]
        yield "no vector events and no word why", copied


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = 0
    for path in map(pathlib.Path, sys.argv[2:]):
        document = json.loads(path.read_text())
        for error in validator.iter_errors(document):
            print(f"{path.name}: {error.json_path}: {error.message}")
            faults += 1
        for what, copied in damaged(document):
            if validator.is_valid(copied):
                print(f"{path.name}: accepted {what}")
                faults += 1
    print(f"{len(sys.argv) - 2} files")
    return 1 if faults or len(sys.argv) < 3 else 0


sys.exit(main())
