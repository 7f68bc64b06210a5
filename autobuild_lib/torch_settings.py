"""PyTorch's settings while the library computes: results depend neither on the number of cores nor on the caller."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread: the tensors are too small to share, and sums do not depend on the machine's cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def plain_torch(gradients: bool = False) -> Iterator[None]:
    """Compute on one thread of the processor, in 32 bits, with or without gradients, whatever the caller has set."""
    kind, elsewhere = torch.get_default_dtype(), torch.get_default_device().type != "cpu"
    torch.set_default_dtype(torch.float32)
    try:
        with (one_thread(), torch.device("cpu") if elsewhere else nullcontext(), torch.autocast("cpu", enabled=False),
              torch.inference_mode(not gradients), torch.set_grad_enabled(gradients)):  # fmt: skip
            yield
    finally:
        torch.set_default_dtype(kind)
