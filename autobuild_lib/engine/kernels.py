"""Compiled loops of message passing, forward and backward, on NumPy arrays: the only code that knows how it is fast.

The stack of P predictors comes first: rows are [P, rows, channels]. Graphs are in compressed sparse rows: row v reads
`times[k]` times row `sources[k]` of the hop before, for k from `starts[v]` to `starts[v + 1]`; the first of these is
itself. Every sum runs in one order on one thread, so that results depend on no number of cores. A loop that sums over
channels stores nothing: what else it reads could lie so close that LLVM adds in another order.
"""

import logging
import math
import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import event

logger = logging.getLogger(__name__)
OPTIONS: dict[str, Any] = {"fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy", "nogil": True}
EPSILON = 1e-5  # beside the variance, as PyTorch's
ATTENTION_SLOPE = 0.2  # of the leaky ReLU in attention (Brody et al., ICLR 2022)


class _Announcement(event.Listener):
    """Says once that kernels are being compiled, which takes seconds, on the terminal where there is one."""

    said = False

    def on_start(self, event: Any) -> None:
        """Say it before the first loop of this module."""
        if not self.said and event.data["dispatcher"].py_func.__module__ == __name__:
            self.said = True
            level = logging.WARNING if sys.stderr and sys.stderr.isatty() else logging.INFO
            logger.log(level, "compiling the message passing for this processor, once; it takes about 20 seconds")

    def on_end(self, event: Any) -> None:
        """Say nothing more."""


event.register("numba:compile", _Announcement())


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop at its first call, and keep it on the disk for the next process where there is a place for it."""
    try:
        return numba.njit(cache=True, **OPTIONS)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # neither this folder nor the user's cache can be written
        return numba.njit(**OPTIONS)(function)  # type: ignore[no-any-return]


# -------------------------------------------------------------------- graph attention


@compiled
def attend(rows, shift, attention, bias, starts, sources, times):
    """Attend over oneself and one's sources, with l and r + shift in the columns of rows [P, before, 2 C].

    Returns [P, rows, C], and the weight of every source, [P, entries].
    """
    (stack, channels), length = bias.shape, len(starts) - 1
    new, weights = np.empty((stack, length, channels), rows.dtype), np.empty((stack, len(sources)), rows.dtype)
    slope, full, target = rows.dtype.type(ATTENTION_SLOPE), rows.dtype.type(1), np.empty(channels, rows.dtype)
    for p in range(stack):
        x, a, w = rows[p], attention[p], weights[p]
        moved, centre = shift[p, :channels] + shift[p, channels:], shift[p, :channels] + bias[p]
        for v in range(length):
            first, last, row = starts[v], starts[v + 1], new[p, v]
            own = x[sources[first]]
            for c in range(channels):
                target[c] = own[channels + c] + moved[c]
            most = w[first] = _logit(own, target, a, slope)
            for k in range(first + 1, last):
                w[k] = _logit(x[sources[k]], target, a, slope)
                most = max(most, w[k])
            total = rows.dtype.type(0)
            for k in range(first, last):
                w[k] = times[k] * (math.exp(w[k] - most) if w[k] < most else full)
                total += w[k]
            inverse = full / total
            weight = w[first] = w[first] * inverse
            for c in range(channels):
                row[c] = centre[c] + weight * own[c]
            for k in range(first + 1, last):
                weight, source = w[k] * inverse, x[sources[k]]
                w[k] = weight
                for c in range(channels):
                    row[c] += weight * source[c]
    return new, weights


@compiled
def attend_backward(rows, shift, attention, starts, sources, weights, upstream):
    """Gradients of `attend` for rows, shift, attention and bias, from that of its result."""
    stack, length, channels = upstream.shape
    of_rows, of_shift = np.zeros_like(rows), np.zeros_like(shift)
    of_attention, of_bias = np.zeros_like(attention), np.zeros_like(attention)
    slope, full, dots = rows.dtype.type(ATTENTION_SLOPE), rows.dtype.type(1), np.empty_like(weights[0])
    target, of_target = np.empty(channels, rows.dtype), np.empty(channels, rows.dtype)
    for p in range(stack):
        x, a, w, of_x, of_a, of_b = rows[p], attention[p], weights[p], of_rows[p], of_attention[p], of_bias[p]
        moved, of_right = shift[p, :channels] + shift[p, channels:], of_shift[p, channels:]
        for v in range(length):
            first, last, g = starts[v], starts[v + 1], upstream[p, v]
            for c in range(channels):
                target[c] = x[sources[first], channels + c] + moved[c]
                of_target[c] = 0
                of_b[c] += g[c]
            mean = rows.dtype.type(0)
            for k in range(first, last):
                dots[k] = _dot(g, x[sources[k]])
                mean += w[k] * dots[k]
            for k in range(first, last):
                source, of_source = x[sources[k]], of_x[sources[k]]
                weight, of_logit = w[k], w[k] * (dots[k] - mean)
                for c in range(channels):
                    t = source[c] + target[c]
                    of_a[c] += of_logit * (t if t > 0 else slope * t)
                    change = of_logit * a[c] * (full if t > 0 else slope)
                    of_source[c] += weight * g[c] + change
                    of_target[c] += change
            mine = of_x[sources[first], channels:]
            for c in range(channels):
                mine[c] += of_target[c]
                of_right[c] += of_target[c]
        of_shift[p, :channels] = of_right + of_b
    return of_rows, of_shift, of_attention, of_bias


@compiled
def _logit(source, target, attention, slope):
    logit = target.dtype.type(0)
    for c in range(len(target)):
        x = source[c] + target[c]
        logit += attention[c] * (x if x > 0 else slope * x)
    return logit


@compiled
def _dot(gradient, row):
    total = gradient.dtype.type(0)
    for c in range(len(gradient)):
        total += gradient[c] * row[c]
    return total


# -------------------------------------------------------------------- normalisation, activation, residual


@compiled
def moments(x, counts):
    """Mean and variance (ddof 0) of x [P, rows, C], whose row v stands for counts[v] nodes: each [P, C]."""
    stack, length, channels = x.shape
    means, variances = np.zeros((stack, channels), x.dtype), np.zeros((stack, channels), x.dtype)
    nodes = counts.sum()
    for p in range(stack):
        mean, variance = means[p], variances[p]
        for v in range(length):
            row, n = x[p, v], counts[v]
            for c in range(channels):
                mean[c] += n * row[c]
        mean /= nodes
        for v in range(length):
            row, n = x[p, v], counts[v]
            for c in range(channels):
                deviation = row[c] - mean[c]
                variance[c] += n * deviation * deviation
        variance /= nodes
    return means, variances


@compiled
def normalise(x, means, variances, weights, biases, previous, starts, sources, slope):
    """Normalise x [P, rows, C], apply a leaky ReLU of that slope, and add previous [P, before or 0, C]."""
    stack, length, channels = x.shape
    new, slope = np.empty_like(x), x.dtype.type(slope)
    for p in range(stack):
        mean, scale, bias = means[p], weights[p] * _inverse(variances[p]), biases[p]
        for v in range(length):
            row, old = new[p, v], x[p, v]
            for c in range(channels):
                t = (old[c] - mean[c]) * scale[c] + bias[c]
                row[c] = t if t > 0 else slope * t
            if previous.shape[1] > 0:
                kept = previous[p, sources[starts[v]]]
                for c in range(channels):
                    row[c] += kept[c]
    return new


@compiled
def normalise_backward(x, means, variances, weights, biases, slope, counts, of_batch, upstream):
    """Gradients of `normalise` for x, weights and biases; of_batch: whether means and variances are those of x."""
    stack, length, channels = x.shape
    of_x, of_weights, of_biases = np.empty_like(x), np.zeros_like(weights), np.zeros_like(biases)
    slope, full, nodes = x.dtype.type(slope), x.dtype.type(1), counts.sum()
    for p in range(stack):
        mean, weight, bias, of_weight, of_bias = means[p], weights[p], biases[p], of_weights[p], of_biases[p]
        inverse = _inverse(variances[p])
        scale = inverse * weight
        for v in range(length):
            row, old, g = of_x[p, v], x[p, v], upstream[p, v]
            for c in range(channels):
                standard = (old[c] - mean[c]) * inverse[c]
                change = g[c] * (full if standard * weight[c] + bias[c] > 0 else slope)
                of_bias[c] += change
                of_weight[c] += change * standard
                row[c] = change * scale[c]
        if of_batch:
            of_mean, of_sd = scale * of_bias / nodes, scale * of_weight / nodes * inverse
            for v in range(length):
                row, old, n = of_x[p, v], x[p, v], counts[v]
                for c in range(channels):
                    row[c] -= n * (of_mean[c] + (old[c] - mean[c]) * of_sd[c])
    return of_x, of_weights, of_biases


@compiled
def _inverse(variance):
    return 1 / np.sqrt(variance + variance.dtype.type(EPSILON))


@compiled
def keep_backward(starts, sources, upstream, of_previous):
    """Add the gradient of what `normalise` adds, from that of its result, to `of_previous`."""
    stack, length, channels = upstream.shape
    for p in range(stack):
        for v in range(length):
            row, g = of_previous[p, sources[starts[v]]], upstream[p, v]
            for c in range(channels):
                row[c] += g[c]


# -------------------------------------------------------------------- pooling, and graph convolution


@compiled
def pool(x, starts, members, weights):
    """Weighted sums of members, those of sum g from `starts[g]` to `starts[g + 1]`: x [P, rows, C] -> [P, sums, C]."""
    stack, _, channels = x.shape
    pooled = np.zeros((stack, len(starts) - 1, channels), x.dtype)
    for p in range(stack):
        for g in range(len(starts) - 1):
            total = pooled[p, g]
            for k in range(starts[g], starts[g + 1]):
                row, weight = x[p, members[k]], weights[k]
                for c in range(channels):
                    total[c] += weight * row[c]
    return pooled


@compiled
def pool_backward(rows, starts, members, weights, upstream):
    """Gradient of `pool` for its rows, from that of its result."""
    stack, graphs, channels = upstream.shape
    of_x = np.zeros((stack, rows, channels), upstream.dtype)
    for p in range(stack):
        for g in range(graphs):
            change = upstream[p, g]
            for k in range(starts[g], starts[g + 1]):
                row, weight = of_x[p, members[k]], weights[k]
                for c in range(channels):
                    row[c] += weight * change[c]
    return of_x


# -------------------------------------------------------------------- parts of graphs


@compiled
def some_rows(starts, sources, times, present, before):
    """The same arrays for `present` rows alone, the rows of the hop before numbered anew, and which of them remain."""
    place, ends = np.zeros(before, np.int64), np.zeros(len(present) + 1, np.int64)
    for row in range(len(present)):
        entries = sources[starts[present[row]] : starts[present[row] + 1]]
        place[entries] = 1
        ends[row + 1] = ends[row] + len(entries)
    needed = np.flatnonzero(place)
    place[needed] = np.arange(len(needed))
    read, often = np.empty(ends[-1], np.int64), np.empty(ends[-1], times.dtype)
    for row in range(len(present)):
        first = starts[present[row]]
        for k in range(ends[row + 1] - ends[row]):
            read[ends[row] + k], often[ends[row] + k] = place[sources[first + k]], times[first + k]
    return ends, read, often, needed
