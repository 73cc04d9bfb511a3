"""Reads the input of one computation as JSON, named by the first argument, and prints what NumPy or pandas computes."""

import json
import sys

import numpy
import pandas


def power(case):
    """
    The mean power between the given ends of windows, and the multiples of the window without an end: from a quarter of
    the time since the previous reading before the multiple, to the first reading after it.
    """
    readings = pandas.Series(case["joules"], index=case["times"], dtype=float)
    ends = numpy.array([0] + case["ends"], dtype=numpy.int64)
    joules = readings.loc[ends].to_numpy()
    times = readings.index.to_numpy()
    multiples = numpy.arange(1, times[-1] // case["windowNs"] + 1) * case["windowNs"]
    latest = times[numpy.searchsorted(times, multiples)]
    places = numpy.searchsorted(times, ends[1:])
    early = (times[places] - times[places - 1]) / 4
    is_end = (ends[1:] + early >= multiples[:, None]) & (ends[1:] <= latest[:, None])
    missed = multiples[~is_end.any(axis=1)]
    return {"watts": (numpy.diff(joules) / numpy.diff(ends) * 1e9).tolist(), "missed": missed.tolist()}


def estimation(case):
    """Integrates idle power, and the rest of the power in proportion to the use, over the intervals between readings."""
    table = {name: numpy.array(values, dtype=float) for name, values in case["rows"].items()}
    cpu, disk, network = case["cpu"], case["disk"], case["network"]
    seconds = numpy.diff(table["times"]) / 1e9
    frequency = numpy.minimum(1, table["hertz"][1:] / cpu["max_frequency"]) ** cpu["frequency_exponent"]
    use = {name: numpy.diff(table[name]) for name in ("busy", "io_time", "received", "transmitted")}
    port = (use["received"] + use["transmitted"]) * 8 / network["speed"] / 2
    gib = table["bytes"][1:] / 2**30
    increments = {
        "cpu": cpu["idle_power"] * seconds
        + (cpu["max_power"] - cpu["idle_power"]) * frequency * use["busy"] / case["cpus"],
        "memory": case["memory"]["power_per_gb"] * gib * seconds,
        "disk": disk["idle_power"] * seconds + (disk["max_power"] - disk["idle_power"]) * use["io_time"],
        "network": network["idle_power"] * seconds + (network["max_power"] - network["idle_power"]) * port,
    }
    return {name: numpy.concatenate([[0], numpy.cumsum(values)]).tolist() for name, values in increments.items()}


def sums(case):
    """The running sum of each series' deltas, in the order of their times."""
    rows = pandas.DataFrame(case["deltas"], columns=["series", "time", "delta"]).sort_values("time", kind="stable")
    rows["sum"] = rows.groupby("series")["delta"].cumsum()
    return rows[["series", "time", "sum"]].values.tolist()


def selection(case):
    """Numbers of the series that each of some filters keeps."""
    rows = pandas.DataFrame(case["series"], columns=["name", "type", "owner"])
    named = rows["name"].str
    is_gpu = (rows["type"] == "gpu").fillna(False)
    is_power = rows["name"].isin(["hw.power", "process.power"])
    is_root = rows["owner"].fillna("").str.fullmatch("root|daemon")
    kept = {
        "names": is_power,
        "pattern": named.fullmatch(r"hw\..*") & ~is_gpu,
        "owners": ~is_root,
        "collector_names": named.contains("^hw") & ~named.contains("power"),
        "collector_conditions": ~((rows["name"] == "process.cpu.time") & (rows["owner"] == "root"))
        & ~(is_gpu | (named.contains("energy$") & ~(rows["type"] == "cpu"))),
    }
    return {name: numpy.flatnonzero(mask.to_numpy(dtype=bool)).tolist() for name, mask in kept.items()}


computations = {"power": power, "estimation": estimation, "sums": sums, "selection": selection}
json.dump(computations[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
