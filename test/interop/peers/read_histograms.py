"""Prints the histograms that PyArrow and DuckDB read from a Parquet file, as JSON: a list of rows for each."""

import json
import sys

import duckdb
import pyarrow.parquet

[path] = sys.argv[1:]
columns = ["kind", "count", "sum", "min", "max", "bounds", "bucket_counts", "scale", "zero_count"]
columns += ["positive_offset", "positive_counts", "negative_offset", "negative_counts"]

table = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
with_pyarrow = [list(row) for row in zip(*(table.column(name).to_pylist() for name in columns))]
names = ", ".join(f'"{name}"' for name in columns)
with_duckdb = [list(row) for row in duckdb.sql(f"select {names} from '{path}'").fetchall()]
print(json.dumps({"pyarrow": with_pyarrow, "duckdb": with_duckdb}))
