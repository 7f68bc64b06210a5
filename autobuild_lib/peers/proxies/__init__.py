"""Zero-cost proxies: numbers about an untrained network that are meant to rank networks without training them.

Those that need data get images of Gaussian noise and random labels, both from a seed, not photographs. One minibatch
passes through the network once, and every proxy that can use this pass or its gradients does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from autobuild_lib.peers.proxies import measures
from autobuild_lib.peers.proxies.passes import Minibatch, Passes
from autobuild_lib.threads import one_thread

__all__ = ["PROXIES", "Minibatch", "Passes", "Proxy", "measure_proxies"]


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


def measure_proxies(network: nn.Module, resolution: int = 96, batch: int = 8, seed: int = 0) -> dict[str, float]:
    """Return every proxy of `PROXIES` by name, the same for the same seed.

    Args:
        network: images [N, 3, H, W] -> class scores [N, C], with its initial weights; it is left as it is.
        resolution: side of the images in pixels.
        batch: number of images, at least 2.
        seed: of images, labels, and whatever else a proxy draws; not of the weights that the network has.

    Raises:
        ValueError: for a minibatch that cannot be, and for a proxy without a finite value, by its name.
    """
    passes = Passes(network, Minibatch(resolution, batch, seed))
    with one_thread():
        found = {proxy.name: proxy.measure(passes) for proxy in PROXIES}
    if wrong := [f"{name}={value}" for name, value in found.items() if not math.isfinite(value)]:
        raise ValueError(f"{', '.join(wrong)} for {passes.minibatch}; a proxy must be a finite number")
    return found
