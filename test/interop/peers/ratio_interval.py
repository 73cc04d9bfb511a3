"""Reads pairs of samples as JSON; writes the factors at which SciPy's Welch test has a p value of 0.05, or null."""

import json
import sys

import numpy
import scipy.optimize
import scipy.stats


def find_ends(first, other):
    first, other = numpy.array(first), numpy.array(other)
    ratio = other.mean() / first.mean()

    def excess(factor):
        return scipy.stats.ttest_ind(other, factor * first, equal_var=False).pvalue - 0.05

    ends = []
    for sign in (-1, 1):
        step = abs(ratio) / 1000
        while excess(ratio + sign * step) > 0:
            step *= 1.5
            if step > 1e7 * abs(ratio):
                return None
        ends.append(scipy.optimize.brentq(excess, ratio, ratio + sign * step, xtol=1e-14, rtol=1e-13))
    return [float(end) for end in ends]


json.dump([find_ends(*pair) for pair in json.load(sys.stdin)], sys.stdout)
