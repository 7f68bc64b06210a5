"""Any saved predictor, of whatever kind."""

from pathlib import Path
from typing import Any

from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.engine.paths import LayerEncoder
from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.saved import description_keys, read_description, read_predictor
from autobuild_lib.surrogate.published import load_published
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.weights import fill

KINDS: tuple[type[Encoder[Any]], ...] = (LayerEncoder, OperationEncoder)
ENCODERS = {name: kind for kind in KINDS for name in kind.FORMATS}
UNSIGNED = [kind.FORMATS[0] for kind in KINDS]  # written before configurations had checksums


@plain_torch(gradients=True)
def load(path: Path | str) -> Predictor:
    """Open a folder that `Predictor.save` wrote, or a published checkpoint (`.pt`).

    Raises `FileNotFoundError` where there is none, and `ValueError` for anything missing, unknown or damaged.
    """
    if Path(path).suffix == ".pt":
        return load_published(path)
    keys = {name: description_keys(kind) for name, kind in ENCODERS.items()}
    with read_predictor(Path(path), keys, UNSIGNED) as saved:
        encoder, shape, *others = read_description(saved.config, ENCODERS[saved.config["format"]])
    # At least four layers of the head, and one for each hop: no larger network is made than there are weights.
    tensors = saved.tensors(smallest=4 * (shape.hops + 3) * shape.width**2)
    network = Network(encoder, shape, seeds=[0])
    fill(network, tensors, saved.path)
    return Predictor(network.eval(), *others)
