"""Zero-cost proxies: numbers about an untrained network that are meant to rank networks without training them.

Those that need data get images of Gaussian noise and random labels, both from a seed, not photographs. One minibatch
passes through the network once, and every proxy that can use this pass or its gradients does.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from autobuild_book.chapters.shared.models.proxies import measures
from autobuild_book.chapters.shared.models.proxies.passes import Minibatch, Passes
from autobuild_lib.torch_settings import one_thread

__all__ = ["PROXIES", "Minibatch", "Passes", "Proxy", "ProxyValues", "measure_proxies"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proxy:
    """A proxy: how it is called in tables and in text, and how it is measured."""

    name: str
    title: str
    measure: Callable[[Passes], float]
    unit: str = "score"


PROXIES = (
    Proxy("parameters", "Parameters", measures.parameters, "count"),
    Proxy("macs", "MACs", measures.macs, "multiply-adds"),
    Proxy("grad_norm", "Gradient norm", measures.grad_norm),
    Proxy("snip", "SNIP", measures.snip),
    Proxy("grasp", "GraSP", measures.grasp),
    Proxy("synflow", "SynFlow", measures.synflow, "log score"),
    Proxy("jacob_cov", "Jacobian covariance", measures.jacob_cov),
    Proxy("naswot", "NASWOT", measures.naswot),
    Proxy("zen", "Zen score", measures.zen),
    Proxy("fisher", "Fisher", measures.fisher),
)


class ProxyValues(dict[str, float]):
    """Proxies by name; NaN for those that a network does not have, with the reason in `reasons`."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}

    def note(self, name: str, value: float, reason: str = "") -> None:
        """Keep a value; one that is not finite counts as missing."""
        if not math.isfinite(value):
            self.reasons[name] = reason or f"its value is {value}"
            log.warning("proxy %s: %s", name, self.reasons[name])
        self[name] = value if math.isfinite(value) else math.nan


def measure_proxies(network: nn.Module, resolution: int = 96, batch: int = 8, seed: int = 0) -> ProxyValues:
    """Return every proxy of `PROXIES` by name, the same for the same seed.

    Args:
        network: images [N, 3, H, W] -> class scores [N, C], with its initial weights; it is left as it is. Of several
            results the first tensor counts, of [N, C, ...] the mean over what is behind C.
        resolution: side of the images in pixels.
        batch: number of images, at least 2.
        seed: of images, labels, and whatever else a proxy or the network draws; not of the weights that it has.

    Raises:
        ValueError: for a minibatch that cannot be, and for a network that cannot be copied or does not take it. A proxy
            that a network does not have is NaN (see `ProxyValues.reasons`).
    """
    passes, values = Passes(network, Minibatch(resolution, batch, seed)), ProxyValues()
    with one_thread(), torch.inference_mode(False), torch.enable_grad():
        passes.forward  # noqa: B018
        for proxy in PROXIES:
            try:
                values.note(proxy.name, proxy.measure(passes))
            except Exception as error:  # whatever a layer may lack, as a second derivative
                values.note(proxy.name, math.nan, f"{type(error).__name__}: {error}".partition("\n")[0])
    return values
