"""Any saved predictor, of whatever kind."""

from pathlib import Path

from autobuild_lib import ir_predictor, predictor
from autobuild_lib.ir_predictor import IRPredictor
from autobuild_lib.predictor import Predictor
from autobuild_lib.saved import format_of
from autobuild_lib.surrogate.published import load_published


def load(path: Path | str) -> Predictor | IRPredictor:
    """Open a saved predictor: a folder that `save` of either kind wrote, or a published checkpoint (`.pt`).

    Raises:
        ValueError: for anything missing, unknown or damaged.
        FileNotFoundError: where there is none.
    """
    if Path(path).suffix == ".pt":
        return load_published(path)
    if format_of(Path(path)) in ir_predictor.FORMATS:
        return IRPredictor.load(path)
    return predictor.load(path)
