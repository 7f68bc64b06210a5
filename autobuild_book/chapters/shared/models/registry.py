"""The models that stand beside each other: one registry, one way to fit and to predict.

Neighbours, Gaussian process, forests, boosting and AutoBuild's recipe for few labels were chosen on validation rows
taken out of the training split, from nine candidates each (`tests/benchmarks/peer_presets.py`), as was AutoBuild's
tuned preset.
"""

from collections.abc import Sequence

from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.models.autobuild import AutoBuild, AutoBuildEnsemble
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.models.combined import AutoBuildOnGraf, ForestOnEmbeddings
from autobuild_book.chapters.shared.models.features import GRAF, ONE_HOT, PROXIES
from autobuild_book.chapters.shared.models.learners import Boosting, Forest, Gaussian, Neighbours
from autobuild_book.chapters.shared.models.on_features import FeatureModel, RidgeModel
from autobuild_book.chapters.shared.models.on_ranks import OnRanks

PAPER = AutoBuild("AutoBuild, paper preset", "paper")
TUNED = AutoBuild("AutoBuild, tuned preset", "tuned")
_RECIPE = (("batch_size", 8), ("convolution", "graphconv"), ("pooling", "sum"))
FEW = AutoBuild("AutoBuild, few labels", "tuned", _RECIPE, steps=800)
# Chosen on validation rows of tables of trained networks (`autobuild trained measure ablation`).
MEMBER = AutoBuild("AutoBuild, tuned for its head", "tuned", (("batch_size", 32), ("epochs", 80), ("rank_weight", 0.0)))
ENSEMBLE = OnRanks("AutoBuild, ensemble on ranks", AutoBuildEnsemble("AutoBuild, ensemble", MEMBER, 5))
RIDGE = RidgeModel("additive ridge")
NEIGHBOURS = FeatureModel("nearest neighbours", (ONE_HOT,), Neighbours(200))
GAUSSIAN = FeatureModel("Gaussian process", (ONE_HOT,), Gaussian(0.8))
FORESTS = {
    (ONE_HOT,): Forest(0.3, 2),
    (GRAF,): Forest(0.1, 1),
    (PROXIES,): Forest(0.3, 2),
    (ONE_HOT, GRAF): Forest(0.1, 1),
    (ONE_HOT, PROXIES): Forest(0.3, 1),
    (GRAF, PROXIES): Forest(0.1, 1),
    (ONE_HOT, GRAF, PROXIES): Forest(0.1, 2),
}
BOOSTINGS = {
    (ONE_HOT,): Boosting(0.2, 5),
    (GRAF,): Boosting(0.1, 5),
    (PROXIES,): Boosting(0.05, 5),
    (ONE_HOT, GRAF): Boosting(0.1, 5),
    (ONE_HOT, PROXIES): Boosting(0.1, 5),
    (GRAF, PROXIES): Boosting(0.1, 5),
    (ONE_HOT, GRAF, PROXIES): Boosting(0.1, 5),
}
EMBEDDED = ForestOnEmbeddings("forest: GRAF + embeddings", TUNED, FORESTS[(GRAF,)])
EXTENDED = AutoBuildOnGraf("AutoBuild, tuned + GRAF", TUNED, Forest(0.05, 1))


def named(learner: str, kinds: Sequence[str]) -> str:
    """Return the name of a model by its learner and the kinds of its features."""
    return f"{learner}: {' + '.join(kinds)}"


FOREST_GRAF = FeatureModel(named("forest", (GRAF,)), (GRAF,), FORESTS[(GRAF,)])
RANK_FOREST = OnRanks("forest: GRAF, on ranks", FOREST_GRAF)
_ALL: tuple[Model, ...] = (
    PAPER,
    TUNED,
    FEW,
    RIDGE,
    NEIGHBOURS,
    GAUSSIAN,
    *(FeatureModel(named("forest", kinds), kinds, learner) for kinds, learner in FORESTS.items()),
    *(FeatureModel(named("boosting", kinds), kinds, learner) for kinds, learner in BOOSTINGS.items()),
    EMBEDDED,
    EXTENDED,
    ENSEMBLE,
    RANK_FOREST,
)
MODELS: dict[str, Model] = {model.name: model for model in _ALL}


def find_model(name: str) -> Model:
    """Return a model of the registry; an unknown name is a `ValueError` that lists them."""
    return look_up("model", name, MODELS)
