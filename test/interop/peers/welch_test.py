"""Reads pairs of samples as JSON; writes t, degrees of freedom, p and the 95 % interval of Welch's t-test of each."""

import json
import sys

import scipy.stats


def compare(first, other):
    found = scipy.stats.ttest_ind(other, first, equal_var=False)
    interval = found.confidence_interval()
    return [float(x) for x in (found.statistic, found.df, found.pvalue, interval.low, interval.high)]


json.dump([compare(*pair) for pair in json.load(sys.stdin)], sys.stdout)
