"""A strict reader of the OpenMetrics text format 1.0: what it takes, every scraper takes."""

import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN")
SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "info": ("_info",),
    "unknown": ("",),
}


class Malformed(Exception):
    pass


class Family:
    def __init__(self, name):
        self.name, self.type, self.unit, self.help = name, "unknown", "", None
        self.samples = {}  # (sample name, ((label, value), ...)) -> number


def demand(condition, line, why):
    if not condition:
        raise Malformed(f"{why}: {line!r}")


def parse(text):
    """Family name -> Family."""
    demand(text.endswith("# EOF\n"), text[-40:], "must end with # EOF and a line feed")
    families, family, seen = {}, None, set()
    for line in text[:-len("# EOF\n")].splitlines():
        demand(line and line == line.strip(), line, "empty or padded line")
        if line.startswith("#"):
            parts = line.split(" ", 3)
            demand(len(parts) == 4 and parts[0] == "#", line, "a comment is not metadata")
            _, kind, name, value = parts
            demand(kind in ("TYPE", "HELP", "UNIT") and NAME.fullmatch(name), line, "metadata")
            if family is None or family.name != name:
                demand(name not in families, line, "a family comes in one piece")
                family, seen = families.setdefault(name, Family(name)), set()
            demand(kind not in seen, line, "metadata twice")
            demand(not family.samples, line, "metadata after samples")
            seen.add(kind)
            if kind == "TYPE":
                demand(value in SUFFIXES, line, "unknown type")
                family.type = value
            elif kind == "UNIT":
                demand(name.endswith("_" + value), line, "the unit ends the name")
                family.unit = value
            else:
                demand(not re.search(r"\\(?![\\n\"])", value), line, "bad escape")
                family.help = value
            continue
        read_sample(line, families, family)
    for found in families.values():
        check(found)
    return families


def read_sample(line, families, family):
    match = NAME.match(line)
    demand(match, line, "no name")
    name, rest, labels = match[0], line[match.end():], []
    if rest.startswith("{"):
        rest = rest[1:]
        while not rest.startswith("}"):
            label = LABEL.match(rest)
            demand(label, line, "a label")
            labels.append((label[1], re.sub(
                r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), label[2]
            )))
            rest = rest[label.end():]
            demand(rest[:1] in (",", "}"), line, "labels")
            rest = rest[1:] if rest[0] == "," else rest
        rest = rest[1:]
    demand(len({key for key, _ in labels}) == len(labels), line, "a label twice")
    value = re.fullmatch(r" (\S+)( \d+(\.\d+)?)?", rest)
    demand(value and NUMBER.fullmatch(value[1]), line, "a value")
    demand(family is not None, line, "a sample before its family")
    suffix = name[len(family.name):]
    demand(name.startswith(family.name) and suffix in SUFFIXES[family.type], line,
           f"no sample of {family.name}, a {family.type}")
    key = (name, tuple(sorted(labels)))
    demand(key not in family.samples, line, "a sample twice")
    family.samples[key] = float(value[1].replace("Inf", "inf"))


def check(family):
    demand(family.help, family.name, "no help")
    if family.type == "counter":
        for key, value in family.samples.items():
            demand(value >= 0 and math.isfinite(value), key, "a counter")
    if family.type != "histogram":
        return
    series = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(label for label in labels if label[0] != "le")
        buckets, figures = series.setdefault(rest, ({}, {}))
        if name.endswith("_bucket"):
            bound = dict(labels).get("le")
            demand(bound is not None, name, "a bucket without bound")
            buckets[float(bound.replace("Inf", "inf"))] = value
        else:
            figures[name[len(family.name):]] = value
    for buckets, figures in series.values():
        bounds = list(buckets)
        demand(bounds == sorted(bounds) and bounds[-1] == math.inf, family.name, "bounds")
        counts = list(buckets.values())
        demand(counts == sorted(counts), family.name, "buckets are cumulative")
        demand(figures["_count"] == counts[-1] and "_sum" in figures, family.name, "count and sum")


def value(families, name, **labels):
    """One sample's value, 0 when there is none; `name` is the sample's, `_total` and all."""
    wanted = tuple(sorted(labels.items()))
    for family in families.values():
        if (name, wanted) in family.samples:
            return family.samples[name, wanted]
    return 0
