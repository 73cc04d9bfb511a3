"""Reads rows of attributes and values as JSON; writes aggregates of groups, and sums of each instant, as pandas computes them."""

import json
import sys

import pandas

given = json.load(sys.stdin)
rows = pandas.DataFrame(given["rows"], columns=["time", "state", "cpu", "value"])
by_state = rows.groupby(["time", "state"])["value"]
found = {
    name: [[int(time), state, float(value)] for (time, state), value in getattr(by_state, name)().items()]
    for name in ("sum", "mean", "min", "max")
}
found["total"] = [float(value) for value in rows.groupby("time")["value"].sum()]
json.dump(found, sys.stdout)
