"""The scripts of the page: for each family what it computes with, and the points among which it shows a network.

A page that is opened from a folder may load scripts, but no other files.
"""

import functools
import itertools
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_book.play import packing
from autobuild_book.play.predictors import BEST, HOSTS, SCORES, TARGETS, Trained, kept_places, load_trained
from autobuild_lib.data import load
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.surrogate import LABELS, SPACES, Surrogate, load_bundled
from autobuild_lib.targets import Target

TITLES = {"ofa_mbv3": "OFA-MobileNetV3", "ofa_pn": "OFA-ProxylessNAS"}


@functools.cache
def scripts() -> dict[str, str]:
    """Return the text of the script of each family, by family."""
    return {family: f"play.receive({_json(family_data(family))});\n" for family in SPACES}


def family_data(family: str) -> dict[str, Any]:
    """Return what the page knows of a family, JSON."""
    table, surrogate = load(family), load_bundled(family)
    space, codes = surrogate.space, surrogate.space.to_codes(table.architectures)
    trained = {target: load_trained(family, target) for target in TARGETS}
    return {
        "name": family,
        "title": TITLES[family],
        **_space_data(space),
        "surrogate": _surrogate_data(surrogate),
        "predictors": [_predictor_data(one, surrogate) for one in trained.values()],
        "hosts": packing.as_text(content_numbers(space, _hosts(space)), "<u2"),
        "table": {
            "rows": len(table),
            "kind": table.kind,
            "contents": packing.as_text(content_numbers(space, codes), "<u2"),
            "labels": packing.as_text(surrogate.predict_codes(codes)),
        },
    }


def _space_data(space: SequenceSpace) -> dict[str, Any]:
    first = space.codecs[0]
    return {
        "globals": str(space.from_codes(_hosts(space)[:1])[0]).partition("|")[0],
        "depths": [list(codec.depths) for codec in space.codecs],
        "groups": [list(group.units) for group in space.scoring_groups],
        "places": [kept_places(group.count_contents()).tolist() for group in space.scoring_groups],
        "layers": [short for short, _ in first.layer_names.values()],
    }


def _hosts(space: SequenceSpace) -> Codes:
    """The random networks of `score_units`."""
    return space.sample_codes(np.random.default_rng([0, 2]), HOSTS)


def content_numbers(space: SequenceSpace, codes: Codes) -> npt.NDArray[np.int64]:
    """Return the number of every unit's content in the order of all contents of that unit, [N, units]."""
    columns = []
    for codec in space.codecs:
        places = {content.tobytes(): place for place, content in enumerate(codec.contents())}
        columns.append([places[content.tobytes()] for content in codes[:, codec.place]])
    return np.array(columns).T


def _surrogate_data(surrogate: Surrogate) -> dict[str, Any]:
    packed = [packing.numbers(surrogate.network, place) for place in range(len(LABELS))]
    return {
        "labels": list(LABELS),
        "network": packing.description(surrogate.network),
        "numbers": [packing.as_text(numbers) for numbers in packed],
        "centres": packing.as_text(surrogate.centres, "<f8"),
        "sds": surrogate.sds.tolist(),
    }


def _predictor_data(trained: Trained, surrogate: Surrogate) -> dict[str, Any]:
    predictor = trained.predictor
    if predictor.moments is None:
        raise ValueError(f"the predictor of {predictor.target} has no moments; the page scores modules with them")
    return {
        "target": Target(predictor.target).canonical,
        "network": packing.description(predictor.network),
        "numbers": packing.as_text(packing.numbers(predictor.network)),
        "mean": predictor.label_mean,
        "sd": predictor.label_sd,
        "hopMoments": predictor.moments.hops.tolist(),
        "unitMoments": [[*key, *value] for key, value in sorted(predictor.moments.units.items())],
        "best": trained.best,
        "effects": [packing.as_text(effects) for effects in trained.effects],
        "built": {score: packing.as_text(_built_labels(trained.best[score], surrogate)) for score in SCORES},
    }


def _built_labels(best: list[list[str]], surrogate: Surrogate) -> npt.NDArray[np.float64]:
    """Labels of the reduced space; what the last unit has varies fastest, [networks, labels]."""
    space = surrogate.space
    texts = ["|".join(contents) for contents in itertools.product(*(contents[:BEST] for contents in best))]
    networks = [space.parse(f"{_space_data(space)['globals']}|{text}") for text in texts]
    return surrogate.predict(networks).to_numpy()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
