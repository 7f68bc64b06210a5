"""Units: consecutive runs of layers whose length is searched."""

from dataclasses import dataclass
from typing import Any, Self

from autobuild_lib.spaces.features import (
    MOST_VALUES,
    Features,
    FrozenFeatures,
    SpaceError,
    checked,
    features_from_json,
    features_to_json,
    freeze,
    read_object,
    whole_number,
)


@dataclass(frozen=True, init=False)
class Unit:
    """A consecutive run of layers whose length is searched.

    `features` are chosen once per unit and seen by all its layers; `layer_features` allows fewer values than the
    space does; `score_with_previous` makes the unit the tail of the one before when modules are scored.
    """

    min_layers: int
    max_layers: int
    features: FrozenFeatures
    layer_features: FrozenFeatures
    score_with_previous: bool

    def __init__(
        self,
        min_layers: int,
        max_layers: int,
        features: Features | None = None,
        layer_features: Features | None = None,
        score_with_previous: bool = False,
    ) -> None:
        object.__setattr__(self, "min_layers", whole_number("min_layers", min_layers, MOST_VALUES))
        object.__setattr__(self, "max_layers", whole_number("max_layers", max_layers, MOST_VALUES))
        if min_layers > max_layers:
            raise SpaceError(f"min_layers is {min_layers}; allowed is at most max_layers, which is {max_layers}")
        object.__setattr__(self, "features", freeze(features or {}))
        object.__setattr__(self, "layer_features", freeze(layer_features or {}))
        tail = checked("score_with_previous", score_with_previous, bool, "true or false")
        object.__setattr__(self, "score_with_previous", tail)

    def to_json(self) -> dict[str, Any]:
        """Return a description that JSON can hold."""
        features = {name: features_to_json(getattr(self, name)) for name in ("features", "layer_features")}
        lengths = {"min_layers": self.min_layers, "max_layers": self.max_layers}
        return {**lengths, **features, "score_with_previous": self.score_with_previous}

    @classmethod
    def from_json(cls, where: str, description: object) -> Self:
        """Read what `to_json` wrote; anything missing or unknown is a `SpaceError`."""
        needed = ("min_layers", "max_layers", "features", "layer_features")
        record = read_object(where, description, needed, ["score_with_previous"])
        features = {name: features_from_json(f"{where}: {name}", record[name]) for name in needed[2:]}
        try:
            return cls(**record | features)
        except SpaceError as error:
            raise SpaceError(f"{where}: {error}") from None
