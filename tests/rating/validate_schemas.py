"""Checks what `bops usage rate` and `indicators` write against the shipped schemas, and that the
schemas can tell.

usage: validate_schemas.py BOPS SCHEMA_DIRECTORY VECTORS; exit status 77: skipped.
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


def damaged(document):
    """Documents that no schema may accept: (what was done, document)."""
    for key, value in document.items():
        without = {name: each for name, each in document.items() if name != key}
        yield f"renamed {key}", {**without, key + "_": value}
        yield f"a boolean at {key}", {**without, key: True}
        if isinstance(value, str) and key in ("qty", "amount", "dqty", "damount", "cost"):
            for text in ("01", "1.", "1e3", "+1", "1.50000000000", " 1"):
                yield f"{text!r} at {key}", {**without, key: text}
        if isinstance(value, list) and value:
            for what, element in damaged(value[0]):
                yield f"{key}: {what}", {**without, key: [element] + copy.deepcopy(value[1:])}


def check(validator, document, counts):
    validator.validate(document)
    counts[0] += 1
    for what, wrong in damaged(document):
        counts[1] += 1
        if validator.is_valid(wrong):
            sys.exit(f"accepted although {what}: {json.dumps(wrong)}")


def main():
    bops, schemas, vectors = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]

    def validator_of(name):
        schema = json.loads((schemas / f"{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    lines, indicators = validator_of("bops.rated_line.v1"), validator_of("bops.indicators.v1")
    counts = [0, 0]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)

        def usage(verb, vector, *options):
            for name, value in vector.items():
                (scratch / name).write_text(json.dumps(value))
            command = [bops, "usage", verb] + [str(each) for each in options]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        def rate(vector, *options):
            return usage("rate", vector, "--records", scratch / "records", "--packages",
                         scratch / "packages", "--prices", scratch / "price", *options)

        before = ""
        for vector in json.loads(pathlib.Path(vectors).read_text()):
            if "records" not in vector:
                continue
            named = copy.deepcopy(vector)
            for record in named["records"]:
                record |= {"tenant": "t", "meter": "tokens", "model": "m"}
            for package in named["packages"]:
                package["ratio"] = "0.5"
            (scratch / "before").write_text(before)
            before = rate(vector, "--cutoff", "400000")
            output = (before + rate(named) + rate(vector) +
                      rate(vector, "--previous", scratch / "before"))
            for line in output.splitlines():
                check(lines, json.loads(line), counts)
            text = usage("indicators", named, "--records", scratch / "records", "--prices",
                         scratch / "price", "--format", "json")
            check(indicators, json.loads(text), counts)
    print(f"{counts[0]} documents accepted, {counts[1]} damaged ones rejected")
    if counts[0] < 50 or counts[1] < 200:
        sys.exit("too few documents to show anything")


if __name__ == "__main__":
    main()
