"""Reads a table's name, its rows and a query as JSON, and prints the result of DataFusion, the engine of InfluxDB 3."""

import json
import sys

import datafusion
import pyarrow

request = json.load(sys.stdin)
rows = request["rows"]
columns = {name: [row[name] for row in rows] for name in rows[0]}
columns["time"] = pyarrow.array(map(int, columns["time"]), pyarrow.timestamp("ns"))
context = datafusion.SessionContext()
name = '"' + request["table"] + '"'
context.register_record_batches(name, [pyarrow.table(columns).to_batches()])
json.dump(context.sql(request["query"]).to_pylist(), sys.stdout)
