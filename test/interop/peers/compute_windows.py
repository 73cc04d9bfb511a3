"""Reads readings of a counter and a gauge as JSON, and prints the results of NumPy and pandas."""

import json
import sys

import numpy
import pandas

case = json.load(sys.stdin)
window = case["windowNs"]
times = numpy.array(case["times"], dtype=numpy.int64)
joules = numpy.array(case["joules"], dtype=float)
watts = pandas.Series(case["watts"], index=pandas.to_datetime(times))
last = int(numpy.ceil(times[-1] / window))
ends = numpy.arange(1, last + 1) * window


def windows_of(series):
    return series.resample(pandas.Timedelta(window, "ns"), closed="right", label="right")


def values_of(series):
    """Windows with readings only; the first reading, at time 0, is a separate window."""
    return series.dropna().tolist()


def gauge_functions():
    windows = windows_of(watts)
    counts = windows.count()
    functions = {
        "sum": windows.sum()[counts > 0],
        "mean": windows.mean(),
        "min": windows.min(),
        "max": windows.max(),
        "last": windows.last(),
        "p50": windows.quantile(0.5),
        "p99.9": windows.quantile(0.999),
    }
    return {name: values_of(series) for name, series in functions.items()}


def counter_functions():
    """Interpolates linearly between two readings; the last window ends with the last reading."""
    bounds = numpy.minimum(numpy.concatenate([[0], ends]), times[-1])
    totals = numpy.interp(bounds, times, joules)
    seconds = numpy.diff(bounds) / 1e9
    rates = numpy.diff(joules) / (numpy.diff(times) / 1e9)
    windows = windows_of(pandas.Series(rates, index=pandas.to_datetime(times[1:])))
    return {
        "sum": numpy.diff(totals).tolist(),
        "last": totals.tolist(),
        "mean": (numpy.diff(totals) / seconds).tolist(),
        "max": values_of(windows.max()),
        "min": values_of(windows.min()),
        "p90": values_of(windows.quantile(0.9)),
    }


def interval():
    frame = pandas.DataFrame({"time": times, "joules": joules})
    rows = frame.groupby(numpy.ceil(times / window)).tail(1)
    return rows.to_numpy().tolist()


def formula():
    """The growth of the counter times the time-weighted mean of the gauge, for complete windows."""
    whole = numpy.concatenate([[0], ends[ends <= times[-1]]])
    every = numpy.union1d(times, whole)
    power = numpy.interp(every, times, watts.to_numpy())
    areas = numpy.diff(every) / 1e9 * (power[1:] + power[:-1]) / 2
    area = numpy.concatenate([[0], numpy.cumsum(areas)])[numpy.searchsorted(every, whole)]
    growth = numpy.diff(numpy.interp(whole, times, joules))
    return (growth * numpy.diff(area) / (window / 1e9)).tolist()


def thin():
    """The maximum distance of a reading from the curve through the kept points, and the number of kept points that are no readings."""
    kept = numpy.array(case["thinned"], dtype=float)
    curve = numpy.interp(times, kept[:, 0], kept[:, 1])
    readings = set(zip(times.tolist(), joules.tolist()))
    foreign = [point for point in case["thinned"] if (int(point[0]), point[1]) not in readings]
    return {"error": float(numpy.abs(curve - joules).max()), "foreign": len(foreign)}


def rated():
    """Each growth times the mean of the rate between its two readings."""
    starts = numpy.array(case["rates"], dtype=float)
    every = numpy.union1d(times, starts[1:, 0])
    factors = starts[numpy.searchsorted(starts[:, 0], every[:-1], side="right") - 1, 1]
    sums = numpy.concatenate([[0], numpy.cumsum(numpy.diff(every) * factors)])
    means = numpy.diff(sums[numpy.searchsorted(every, times)]) / numpy.diff(times)
    return numpy.concatenate([[0], numpy.cumsum(numpy.diff(joules) * means)]).tolist()


json.dump(
    {
        "gauge": gauge_functions(),
        "counter": counter_functions(),
        "interval": interval(),
        "formula": formula(),
        "thin": thin(),
        "rated": rated(),
    },
    sys.stdout,
)
