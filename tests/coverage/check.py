#!/usr/bin/env python3
"""Compares the API of Streamkeep with the published service models, and writes the result down.

Needs botocore, whose package holds the models. What the server accepts is asked of itself: the
description is printed from the tables its parser uses.

    check.py            writes docs/api-coverage.md
    check.py --check    writes nothing; fails when the page is stale

Both fail when a model has an operation, member, constraint or error that the server neither
implements nor lists as later, and when the server has one that no model has. Operations of the
server's own stand under a service of their own and are only described.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "api-coverage.md"

MODELS = [
    "kinesisvideo",
    "kinesis-video-media",
    "kinesis-video-archived-media",
    "kinesis-video-signaling",
    "kinesis-video-webrtc-storage",
]

# Operations of the service that no model of botocore has.
UNMODELLED = {"PutMedia": "documented only; its members are headers"}

# Operations that are the server's own.
EXTENSIONS = "streamkeep"

# What stands for members and answer of a WebSocket.
WEBSOCKET = (
    "A WebSocket (GET, HTTP/1.1), opened with a presigned query of at most 30 s. Each stream is asked "
    "for by a message, and authorised as GetMedia. Messages: [design/openlive.md]"
    "(../design/openlive.md)."
)

# Words of the models for a whole number.
INTEGERS = {"integer", "long"}


def load_models():
    import botocore.loaders

    loader = botocore.loaders.Loader()
    return {name: loader.load_service_model(name, "service-2") for name in MODELS}


def load_description(path):
    if path:
        return json.loads(pathlib.Path(path).read_text())
    command = ["cargo", "run", "--quiet", "-p", "streamkeep-api", "--example", "describe-api"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def compare(models, description):
    """The differences, one line each."""
    ours = description["operations"]
    faults = []
    modelled = {}
    for service, model in models.items():
        for name, operation in model["operations"].items():
            modelled[name] = service
            if name not in ours:
                faults.append(f"{service}: {name} is unknown to the server")
                continue
            faults += compare_operation(service, model, name, operation, ours[name])
    for name, operation in ours.items():
        is_own = operation["service"] == EXTENSIONS
        if name not in modelled and name not in UNMODELLED and not is_own:
            faults.append(f"{name} is in no model")
    for name in UNMODELLED:
        if name in modelled:
            faults.append(f"{name} is listed as unmodelled, but {modelled[name]} has it")
    return faults


def compare_operation(service, model, name, operation, ours):
    faults = []

    def differ(what, theirs, mine):
        if theirs != mine:
            faults.append(f"{service}: {name}: {what} is {theirs!r} in the model, {mine!r} here")

    differ("service", service, ours["service"])
    differ("method", operation["http"]["method"], ours["method"])
    differ("path", operation["http"]["requestUri"], ours["path"])
    errors = {
        error["shape"]: model["shapes"][error["shape"]]["error"]["httpStatusCode"]
        for error in operation.get("errors", [])
    }
    differ("errors", errors, ours["errors"])
    if ours["state"] == "later":
        return faults

    shapes = model["shapes"]
    where = f"{service}: {name}"
    faults += compare_shape(where, shapes, operation["input"]["shape"], ours["input"])
    output = shapes[operation["output"]["shape"]]["members"] if "output" in operation else {}
    differ("output", sorted(output), sorted(ours["output"]))
    return faults


def compare_shape(where, shapes, name, ours):
    shape = shapes[name]
    kind = "integer" if shape["type"] in INTEGERS else shape["type"]
    if kind != ours["type"]:
        return [f"{where} is a {kind} in the model, a {ours['type']} here"]

    if kind == "structure":
        faults = []
        theirs, mine = shape["members"], ours["members"]
        for member, target in theirs.items():
            at = f"{where}.{member}"
            if member not in mine:
                faults.append(f"{at} is not read by the server")
                continue
            required = member in shape.get("required", [])
            if required != mine[member]["required"]:
                faults.append(f"{at}: required is {required} in the model")
            faults += compare_shape(at, shapes, target["shape"], mine[member])
        faults += [f"{where}.{member} is in no model" for member in mine if member not in theirs]
        return faults

    faults = []
    for rule in ["min", "max", "pattern", "enum"]:
        theirs, mine = shape.get(rule), ours.get(rule)
        # A lower bound of nothing is no bound.
        if rule == "min" and theirs is None and mine == 0 and kind != "integer":
            continue
        if theirs == mine:
            continue
        if "narrowed" in ours and is_narrower(rule, mine, theirs):
            continue
        faults.append(f"{where}: {rule} is {theirs!r} in the model, {mine!r} here")
    if kind == "list":
        faults += compare_shape(f"{where}[]", shapes, shape["member"]["shape"], ours["member"])
    if kind == "map":
        faults += compare_shape(f"{where} keys", shapes, shape["key"]["shape"], ours["key"])
        faults += compare_shape(f"{where} values", shapes, shape["value"]["shape"], ours["value"])
    return faults


def is_narrower(rule, mine, theirs):
    """Whether a range that says why it is narrower is so at this end."""
    if rule == "max":
        return theirs is None or mine < theirs
    # A bound of nothing says no more than none does: it would hide that a lower bound was dropped.
    return rule == "min" and mine > (theirs or 0)


def page(description):
    everything = description["operations"]
    operations = {n: o for n, o in everything.items() if o["service"] != EXTENSIONS}
    extensions = {n: o for n, o in everything.items() if o["service"] == EXTENSIONS}
    implemented = [n for n, o in operations.items() if o["state"] == "implemented"]
    lines = [
        "# API coverage",
        "",
        "Written by `tests/coverage/check.py` from the tables of the server and compared with the "
        "published service models; not edited by hand.",
        "",
        f"{len(implemented)} of {len(operations)} operations are implemented. The others are "
        "*later*: routed and authenticated, then refused with `InvalidArgumentException`, status 400.",
        "",
        "| Operation | State | Path | Denied with | Calls/s account | Calls/s resource |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for service in MODELS:
        lines.append(f"| **{service}** | | | | | |")
        for name, operation in operations.items():
            if operation["service"] != service:
                continue
            label = f"[{name}](#{name.lower()})" if name in implemented else name
            denial, rate = operation["denial"], operation["calls_per_second"]
            lines.append(
                f"| {label} | {operation['state']} | `{operation['path']}` "
                f"| {denial['name']} {denial['status']} "
                f"| {rate['account'] or '–'} | {rate['resource'] or '–'} |"
            )
    lines += [
        "",
        "Call rates hold with the quota setting `kvs`. The same description for programs, as an "
        "OpenAPI 3.1 document, is at `GET /openapi.json`.",
    ]

    for service in MODELS:
        names = [n for n in implemented if operations[n]["service"] == service]
        if names:
            lines += ["", f"## {service}"]
        for name in names:
            lines += ["", f"### {name}", ""] + operation_lines(name, operations[name])

    lines += extension_lines(extensions) + playback_lines(description["playback"])
    lines += ["", "## Errors of later operations", "", "| Operation | Errors |", "| --- | --- |"]
    for name, operation in operations.items():
        if operation["state"] == "later":
            lines.append(f"| {name} | {error_text(operation['errors'])} |")
    return "\n".join(lines) + "\n"


def extension_lines(extensions):
    lines = [
        "",
        "## Operations beyond Kinesis Video Streams",
        "",
        "In no published model; a client of the service never meets them. They are signed like the "
        "others, for service `kinesisvideo`, and authorised as actions of their own. Texts and "
        "numbers are written as in the published operations.",
        "",
        "| Operation | Path | Action | Denied with |",
        "| --- | --- | --- | --- |",
    ]
    for name, operation in extensions.items():
        denial = operation["denial"]
        lines.append(
            f"| [{name}](#{name.lower()}) | `{operation['path']}` | `{operation['iam_action']}` "
            f"| {denial['name']} {denial['status']} |"
        )
    for name, operation in extensions.items():
        if operation["method"] == "GET":
            errors = error_text(operation["errors"])
            lines += ["", f"### {name}", "", WEBSOCKET, "", f"Errors: {errors}."]
            continue
        example = json.dumps(operation["example"], indent=1, ensure_ascii=False)
        lines += ["", f"### {name}", ""] + operation_lines(name, operation)
        lines += ["", "An answer:", "", "```json", example, "```"]
    return lines


def playback_lines(paths):
    lines = [
        "",
        "## Playback sessions",
        "",
        "Sub-requests: GET or HEAD with the session token that the session URL carries, and no "
        "signature. Browsers may ask with OPTIONS first.",
        "",
        "| Path | Calls/s session |",
        "| --- | --- |",
    ]
    return lines + [f"| `{p['path']}` | {p['calls_per_second']} |" for p in paths]


def operation_lines(name, operation):
    lines = []
    if name in UNMODELLED:
        lines.append(f"In no service model: {UNMODELLED[name]}.")
    else:
        lines += ["| Member | Required | Accepts |", "| --- | --- | --- |"]
        lines += member_rows("", operation["input"])
        if not operation["input"]["members"]:
            lines[-2:] = ["No members."]
        output = ", ".join(operation["output"]) or "`{}`"
        lines += ["", f"Answers: {output}."]
    if operation["headers"]:
        lines += ["", "| Header | Required | Accepts |", "| --- | --- | --- |"]
        for header in operation["headers"]:
            required = "yes" if header["required"] else ""
            lines.append(f"| `{header['name']}` | {required} | {header['description']} |")
    lines += ["", f"Errors: {error_text(operation['errors'])}."]
    return lines


def member_rows(prefix, structure):
    rows = []
    for name, member in structure["members"].items():
        required = "yes" if member["required"] else ""
        note = f"; {member['note']}" if "note" in member else ""
        rows.append(f"| {prefix}{name} | {required} | {accepts(member)}{note} |")
        inner = member["member"] if member["type"] == "list" else member
        if inner["type"] == "structure":
            dots = "[]." if member["type"] == "list" else "."
            rows += member_rows(f"{prefix}{name}{dots}", inner)
    return rows


def accepts(shape):
    kind = shape["type"]
    if kind == "structure":
        return "object"
    if kind == "timestamp":
        return "epoch seconds, or RFC 3339 text"
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    span = f"{shape['min']}..{shape['max']}"
    if kind == "integer":
        reason = shape.get("narrowed")
        return span + (f" ({reason})" if reason else "")
    if kind == "string":
        text = f"{span} characters, {code(shape['pattern'])}"
        if shape["fault"] != "InvalidArgumentException":
            text += f"; else {shape['fault']}"
        if "tolerates" in shape:
            text += f"; also {shape['tolerates']}"
        return text
    excess = "" if shape["excess"] == "InvalidArgumentException" else f", more: {shape['excess']}"
    if kind == "list":
        return f"list of {span}{excess}; each {accepts(shape['member'])}"
    if kind == "map":
        keys, values = accepts(shape["key"]), accepts(shape["value"])
        return f"map of {span}{excess}; keys {keys}; values {values}"
    raise ValueError(f"unknown type {kind}")


def code(pattern):
    return "`" + pattern.replace("|", r"\|") + "`"


def error_text(errors):
    return ", ".join(f"{name} {status}" for name, status in sorted(errors.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    parser.add_argument("--description", help="a file with the output of the describe-api example")
    arguments = parser.parse_args()

    description = load_description(arguments.description)
    faults = compare(load_models(), description)
    for fault in faults:
        print(fault, file=sys.stderr)

    text = page(description)
    if not arguments.check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        faults.append("stale")
        print(f"{PAGE.relative_to(ROOT)} is stale: run {sys.argv[0]}", file=sys.stderr)
    if faults:
        return 1
    states = [
        operation["state"]
        for operation in description["operations"].values()
        if operation["service"] != EXTENSIONS
    ]
    print(f"{states.count('implemented')} operations implemented, {states.count('later')} later; "
          "members, constraints and errors agree with the models")
    return 0


if __name__ == "__main__":
    sys.exit(main())
