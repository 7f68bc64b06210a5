"""Ragged rows laid end to end in one tensor, such as the nodes of many graphs."""

import torch
from torch import Tensor


def starts_of(lengths: Tensor) -> Tensor:
    """Where each row starts: lengths [rows] -> [rows]."""
    return lengths.cumsum(0) - lengths


def entries_of(lengths: Tensor, rows: Tensor) -> Tensor:
    """Places of all entries of the given rows, in the order of `rows`: lengths [rows of all] -> [entries]."""
    chosen = lengths[rows]
    shift = starts_of(lengths)[rows] - starts_of(chosen)  # from an entry's new place to its old one
    return torch.arange(int(chosen.sum())) + torch.repeat_interleave(shift, chosen)
