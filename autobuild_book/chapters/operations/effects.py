"""What operations do: to a predictor (attributions that do not look at magnitudes of hop 0), and in data."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.stats import t
from torch import Tensor
from torch.func import functional_call

from autobuild_book.chapters.operations.hop_zero import TRUE, Fitted, family_rows
from autobuild_book.intervals import mean_with_interval
from autobuild_book.parallel import in_threads
from autobuild_lib.data import IRTable
from autobuild_lib.engine.neighbourhoods import neighbourhoods
from autobuild_lib.extras import extra
from autobuild_lib.graphs import OPERATIONS, IRGraph
from autobuild_lib.graphs.ir import PLACES, SCALES
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

with extra("book"):
    from captum.attr import FeatureAblation, IntegratedGradients
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = npt.NDArray[np.float64]
EMBEDDINGS = "features.embeddings.operation.weight"  # one vector per operation, in a network of op-level graphs
STEPS = 16  # of integrated gradients
ATTRIBUTION = ["operation", "family", "networks", "nodes", "ablation", "level", "signed", "integrated"]

# -------------------------------------------------------------------- of a predictor


def attributions(fitted: Sequence[Fitted], table: IRTable) -> pd.DataFrame:
    """Attribute predictions on `table` to operations, with `attribute`; a row per predictor, family and operation."""
    tables = in_threads(lambda fit: attribute(fit.predictor, table).assign(**fit.key), fitted, "attribution")
    return pd.concat(tables, ignore_index=True)[["preset", "seed", "labels", *ATTRIBUTION]]


@one_thread()
def attribute(predictor: Predictor, table: IRTable) -> pd.DataFrame:
    """Replace the embedding of an operation by the mean embedding, and see what the prediction does.

    The mean is over all nodes of the networks: a node keeps its shapes, its attributes and its place, and loses what
    tells its operation from others. Two ways: all nodes of one operation at once (feature ablation), and all operations
    together in small steps, whose change is shared out (integrated gradients; Sundararajan et al., ICML 2017).

    Returns:
        A row per family (and for all) and operation that occurs there. Columns: operation, family; networks that have
        it, and its mean number of nodes in those; ablation, the standard deviation over networks of prediction minus
        ablated prediction, that is, how far the differences between networks rest on it; level, the mean absolute
        change over networks that have it, which a shift of all networks alike makes large too; signed, the mean change
        over those; integrated, the share in the mean prediction of the family. Changes are in label units.
    """
    graphs = neighbourhoods(table.graphs, predictor.network.config.hops)
    actual = predictor.network.features.embeddings["operation"]().detach()
    counts = operation_counts(table.graphs)[list(predictor.operations)]
    nodes = torch.tensor(counts.sum().to_numpy(), dtype=actual.dtype)
    mean = (nodes[:, None] * actual).sum(1, keepdim=True) / nodes.sum()
    mean = mean.expand_as(actual)
    rows_of = family_rows(table)

    def predicted(embeddings: Tensor) -> Tensor:
        output: Tensor = functional_call(predictor.network, {EMBEDDINGS: embeddings}, (graphs,))[0][0]
        return output * predictor.label_sd

    def family_means(embeddings: Tensor) -> Tensor:
        output = predicted(embeddings)
        return torch.stack([output[torch.from_numpy(rows)].mean() for rows in rows_of.values()])[None]

    mask = torch.arange(actual.shape[1])[None, :, None].expand_as(actual)
    with torch.no_grad():
        changes = FeatureAblation(predicted).attribute(actual, mean, feature_mask=mask)[:, :, 0].double().numpy()
    gradients = IntegratedGradients(family_means)
    frames = []
    for number, (family, rows) in enumerate(rows_of.items()):
        shares = gradients.attribute(actual, mean, target=number, n_steps=STEPS, internal_batch_size=1)
        frames.append(_summary(counts.iloc[rows], changes[rows], shares[0].sum(1).numpy()).assign(family=family))
    return pd.concat(frames, ignore_index=True)[ATTRIBUTION]


def _summary(counts: pd.DataFrame, changes: Array, shares: Array) -> pd.DataFrame:
    """Average changes [networks, operations] over the networks that have the operation."""
    present = counts.to_numpy() > 0
    number = present.sum(0)
    totals = {"nodes": counts.to_numpy(), "level": np.abs(changes), "signed": changes}
    means = {name: (values * present).sum(0) / np.maximum(number, 1) for name, values in totals.items()}
    whole = {"operation": counts.columns, "networks": number, "ablation": changes.std(0), "integrated": shares}
    frame = pd.DataFrame({**whole, **means})
    return frame[frame.networks > 0]


def attribution_table(attribution: pd.DataFrame) -> pd.DataFrame:
    """Average attributions over the seeds of the true labels of each preset.

    Columns: preset, family, operation, measure ("ablation", "signed", "integrated"), value, low, high (95 % interval
    over seeds).
    """
    long = attribution[attribution.labels == TRUE].melt(
        ["preset", "family", "operation"], ["ablation", "signed", "integrated"], "measure"
    )
    keys = ["preset", "family", "operation", "measure"]
    rows = [(*key, *mean_with_interval(part.value.to_numpy())) for key, part in long.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=[*keys, "value", "low", "high"])


# -------------------------------------------------------------------- in data


def operation_counts(graphs: Sequence[IRGraph]) -> pd.DataFrame:
    """Return the number of nodes of each operation that occurs: [graphs, operations]."""
    counts = np.stack([np.bincount(graph.operations, minlength=len(OPERATIONS)) for graph in graphs])
    occurs = np.flatnonzero(counts.any(0))
    return pd.DataFrame(counts[:, occurs], columns=[OPERATIONS[place] for place in occurs])


def multiply_adds(graphs: Sequence[IRGraph]) -> Array:
    """Return millions of multiply-adds of the convolutions and linear layers of each graph, [graphs]."""
    return np.array([_multiply_adds(graph) for graph in graphs])


def _multiply_adds(graph: IRGraph) -> float:
    scales = np.array(SCALES, dtype=np.float64)
    read, written = (np.rint(graph.shapes[:, first : first + 3] * scales) for first in (0, 6))
    kernel = np.where(graph.attributes[:, :3] > 0, np.rint(graph.attributes[:, :3] * 3), 1).prod(1)
    groups = np.maximum(np.rint(graph.attributes[:, 3] * written[:, 0]), 1)
    each = np.maximum(written, 1).prod(1) * read[:, 0] / groups * kernel
    return float(each[np.isin(graph.operations, [PLACES["Conv"], PLACES["Gemm"]])].sum() / 1e6)


def share_associations(table: IRTable, target: str) -> pd.DataFrame:
    """Correlate (Spearman) the share of a network's nodes that an operation has with the target, over all networks.

    Columns: operation, share (mean over networks), association.
    """
    counts, truth = operation_counts(table.graphs), Target(target).evaluate(table.labels)
    shares = counts.div(counts.sum(axis=1), axis=0)
    correlations = [srcc(shares[name].to_numpy(), truth) for name in shares]
    return pd.DataFrame({"operation": shares.columns, "share": shares.mean().to_numpy(), "association": correlations})


def matched_effects(table: IRTable, target: str) -> pd.DataFrame:
    """Regress the target on the count of one operation at a time, given family and multiply-adds.

    Each family has an intercept of its own and a parabola in multiply-adds, so that networks are compared with others
    of their family and cost. The labels before noise are used where they are known. Operations whose number does not
    vary inside a family are left out. Columns: operation, effect of one node more in label units, low, high.
    """
    truth, counts = _noise_free(table, target), operation_counts(table.graphs)
    costs = np.concatenate([_parabolas(table.take(rows), len(table), rows) for rows in _each_family(table)], axis=1)
    rows = []
    for name in counts:
        count = counts[name].to_numpy(dtype=np.float64)
        if any(np.ptp(count[part]) > 0 for part in _each_family(table)):
            rows.append((name, *(float(value[0]) for value in _regress(count[:, None], costs, truth))))
    return pd.DataFrame(rows, columns=["operation", "effect", "low", "high"])


def joint_effects(table: IRTable, target: str) -> pd.DataFrame:
    """Regress the target on the counts of several operations at once, in each family, given multiply-adds.

    Taken from the rarest on, operations whose counts follow from those before (and from how many a family always has)
    add nothing: those that always come together share one row. Columns: family, operation, together (the others),
    effect of one node more at equal numbers of the other rows, in label units, low, high.
    """
    truth, results = _noise_free(table, target), []
    for rows in _each_family(table):
        part = table.take(rows)
        counts = operation_counts(part.graphs)
        kept, together = _independent(counts)
        if kept:
            costs = _parabolas(part, len(rows), np.arange(len(rows)))
            effects = zip(*_regress(counts[kept].to_numpy(dtype=np.float64), costs, truth[rows]), strict=True)
            results += [
                (part.families[0], name, ", ".join(together[name]), *map(float, effect))
                for name, effect in zip(kept, effects, strict=True)
            ]
    return pd.DataFrame(results, columns=["family", "operation", "together", "effect", "low", "high"])


def family_gap(table: IRTable, target: str) -> tuple[float, float, float]:
    """Return the difference of the target between the first two families at equal multiply-adds, with its interval.

    Over the range of multiply-adds that both have; NaN with fewer than two families, or without such a range.
    """
    first, second, *_ = [*_each_family(table), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)]
    cost, truth = multiply_adds(table.graphs), _noise_free(table, target)
    if not len(second):
        return (float("nan"),) * 3
    low, high = (f([g(cost[first]), g(cost[second])]) for f, g in ((max, np.min), (min, np.max)))
    rows = np.concatenate([part[(cost[part] >= low) & (cost[part] <= high)] for part in (first, second)])
    is_first = np.isin(rows, first)
    if len(rows) < 10 or is_first.all() or not is_first.any():
        return (float("nan"),) * 3
    effect, below, above = _regress(is_first[:, None].astype(float), _powers(cost[rows]), truth[rows])
    return float(effect[0]), float(below[0]), float(above[0])


def _each_family(table: IRTable) -> list[npt.NDArray[np.intp]]:
    families = np.array(table.families)
    return [np.flatnonzero(families == family) for family in dict.fromkeys(table.families)]


def _noise_free(table: IRTable, target: str) -> Array:
    is_known = table.noise_free is not None and set(Target(target).labels) <= set(table.noise_free)
    return Target(target).evaluate(table.noise_free if is_known and table.noise_free is not None else table.labels)


def _powers(cost: Array) -> Array:
    """Return 1, x and x squared of standardised costs, [networks, 3]."""
    x = (cost - cost.mean()) / (cost.std() or 1.0)
    return np.stack([np.ones_like(x), x, x**2], axis=1)


def _parabolas(part: IRTable, size: int, rows: npt.NDArray[np.intp]) -> Array:
    """The columns of one family: a parabola in its multiply-adds on its rows, 0 elsewhere."""
    columns = np.zeros((size, 3))
    columns[rows] = _powers(multiply_adds(part.graphs))
    return columns


def _independent(counts: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    """Operations, from the rarest on, whose counts vary and do not follow from those before; and who follows whom.

    An operation whose count is that of a kept one, but for a factor and a constant, stands beside it.
    """
    kept: list[str] = []
    together: dict[str, list[str]] = {}
    for name in counts.mean().sort_values(kind="stable").index:
        centred = counts[name] - counts[name].mean()
        if np.ptp(centred) == 0:
            continue
        if twin := [other for other in kept if abs(np.corrcoef(counts[other], centred)[0, 1]) > 1 - 1e-9]:
            together[twin[0]].append(name)
        elif _residual(counts[kept], centred) > 1e-6:
            kept.append(name)
            together[name] = []
    return kept, together


def _residual(counts: pd.DataFrame, centred: pd.Series) -> float:
    """The largest part of centred counts that a linear function of other counts leaves."""
    others = (counts - counts.mean()).to_numpy()
    if others.shape[1] == 0:
        return float(np.abs(centred).max())
    return float(np.abs(centred - others @ np.linalg.lstsq(others, centred, rcond=None)[0]).max())


def _regress(columns: Array, controls: Array, truth: Array) -> tuple[Array, Array, Array]:
    """Least squares: coefficients of `wanted` [N, K] beside those of `given`, with 95 % intervals (Student's t)."""
    design = np.concatenate([columns, controls], axis=1)
    with threadpool_limits(1):
        inverse = np.linalg.pinv(design.T @ design)
        solution = inverse @ design.T @ truth
        freedom = max(len(truth) - np.linalg.matrix_rank(design), 1)
        variance = ((truth - design @ solution) ** 2).sum() / freedom
    wide = t.ppf(0.975, freedom) * np.sqrt(variance * np.diag(inverse))
    size = columns.shape[1]
    return solution[:size], (solution - wide)[:size], (solution + wide)[:size]
