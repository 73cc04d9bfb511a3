"""Reads cases of rows (counters, then the value) as JSON and prints the coefficients that SciPy computes for each."""

import json
import sys

import numpy
import scipy.optimize

cases = [numpy.array(rows, dtype=float) for rows in json.load(sys.stdin)]
json.dump([scipy.optimize.nnls(rows[:, :-1], rows[:, -1])[0].tolist() for rows in cases], sys.stdout)
