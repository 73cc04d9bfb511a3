"""Prints the rows that data frames read from a recording, as JSON: a list for each reader."""

import json
import sys

import duckdb
import pandas
import pyarrow.parquet

parquet, csv = sys.argv[1:]
columns = ["time", "metric", "value", "start_time", "state", "host.name", "hw.id", "description"]
instants = {"time", "start_time"}


def with_pyarrow():
    table = pyarrow.parquet.ParquetFile(parquet, page_checksum_verification=True).read()
    cells = [table.column(name) for name in columns]
    lists = [
        column.cast("int64").to_pylist() if name in instants else column.to_pylist()
        for name, column in zip(columns, cells)
    ]
    return [list(row) for row in zip(*lists)]


def with_duckdb():
    names = [f'epoch_ns("{name}")' if name in instants else f'"{name}"' for name in columns]
    return [list(row) for row in duckdb.sql(f"select {', '.join(names)} from '{parquet}'").fetchall()]


def with_pandas():
    """Splits rows into readings: a row of CSV has those of several metrics."""
    data = pandas.read_csv(csv, float_precision="round_trip", dtype={"hw.id": str, "state": str})
    times = pandas.to_datetime(data["time"], format="ISO8601").astype("datetime64[ns, UTC]").astype("int64")
    return [
        [int(at), name.split(" (")[0], float(value), host]
        for name in data.columns
        if name.endswith(")")
        for at, value, host in zip(times, data[name], data["host.name"])
        if not pandas.isna(value)
    ]


def exact(row):
    """64-bit integers and doubles as texts: JSON cannot represent all of them."""
    return [cell if isinstance(cell, str) or cell is None else repr(cell) for cell in row]


readers = {"pyarrow": with_pyarrow, "duckdb": with_duckdb, "pandas": with_pandas}
print(json.dumps({name: [exact(row) for row in read()] for name, read in readers.items()}))
