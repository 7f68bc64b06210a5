"""Any saved predictor, of whatever kind."""

from pathlib import Path

from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.saved import read_description, read_predictor
from autobuild_lib.surrogate.published import load_published
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.weights import fill


@plain_torch(gradients=True)
def load(path: Path | str) -> Predictor:
    """Open a folder that `Predictor.save` wrote, or a published checkpoint (`.pt`).

    Raises `FileNotFoundError` where there is none, and `ValueError` for anything missing, unknown or damaged.
    """
    if Path(path).suffix == ".pt":
        return load_published(path)
    with read_predictor(Path(path)) as saved:
        encoder, shape, *others = read_description(saved.config)
    # At least four layers of the head, and one for each hop: no larger network is made than there are weights.
    tensors = saved.tensors(smallest=4 * (shape.hops + 3) * shape.width**2)
    network = Network(encoder, shape, seeds=[0])
    fill(network, tensors, saved.path)
    return Predictor(network.eval(), *others)
