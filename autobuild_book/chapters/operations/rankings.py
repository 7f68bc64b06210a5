"""Do hop-0 importances mean what they say? Agreement of rankings between seeds, labels and ways to read them."""

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from autobuild_book.chapters.operations.hop_zero import CHEAP, INITIAL, SHUFFLED, TRUE, WITHIN
from autobuild_book.intervals import CORRELATION, mean_with_interval, or_unknown
from autobuild_lib.statistics import srcc

Array = npt.NDArray[np.float64]
RESAMPLES = 2000
Row = tuple[str, str, float, float, float, int]
QUOTED = {  # in the summary of the chapter: comparisons by name
    "seeds": "importance between seeds, tuned preset",
    "ablation": "importance, ablation",
    "start": "importance, importance before training",
    "attributions": "ablation, integrated gradients",
    "steady": "ablation between seeds",
    "null": "importance between seeds, labels shuffled",
}


def scores(table: pd.DataFrame, labels: str, column: str, preset: str = CHEAP) -> pd.DataFrame:
    """Return one column of a table as a row per seed and a column per operation, for a preset and some labels."""
    chosen = table[(table.preset == preset) & (table.labels == labels)]
    return chosen.pivot(index="seed", columns="operation", values=column)


def kendall_matrix(rankings: pd.DataFrame) -> Array:
    """Return Kendall's tau between every two rows, [rows, rows]."""
    values, size = rankings.to_numpy(), len(rankings)
    matrix = np.eye(size)
    for a, b in itertools.combinations(range(size), 2):
        matrix[a, b] = matrix[b, a] = kendalltau(values[a], values[b]).statistic
    return matrix


def mean_of_pairs(matrix: Array) -> float:
    """Return the mean over pairs of different rows; NaN without a pair."""
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    return float(pairs.mean()) if len(pairs) else float("nan")


def seed_agreement(rankings: pd.DataFrame) -> tuple[float, float, float]:
    """Mean Kendall's tau over pairs of seeds, with a 95 % bootstrap interval over seeds (NaN for fewer than three).

    A resample takes as many seeds with replacement; pairs of a seed with itself do not count.
    """
    matrix, size = kendall_matrix(rankings), len(rankings)
    mean = mean_of_pairs(matrix)
    if size < 3:
        return mean, float("nan"), float("nan")
    rng, drawn = np.random.default_rng(0), []
    upper = np.triu_indices(size, 1)
    for sample in rng.integers(size, size=(RESAMPLES, size)):
        first, second = sample[upper[0]], sample[upper[1]]
        if (first != second).any():
            drawn.append(matrix[first, second][first != second].mean())
    low, high = np.quantile(drawn, [0.025, 0.975])
    return mean, float(low), float(high)


def null_agreement(importance: pd.DataFrame, kind: str = SHUFFLED) -> pd.Series:
    """Return the mean tau over pairs of seeds for every shuffle of a kind, by the name of its labels."""
    names = [name for name in dict.fromkeys(importance.labels) if name.startswith(f"{kind}_")]
    return pd.Series({name: mean_of_pairs(kendall_matrix(scores(importance, name, "importance"))) for name in names})


def correlations(first: pd.DataFrame, second: pd.DataFrame | pd.Series) -> list[float]:
    """Spearman correlation, seed by seed, over the operations that both sides have; undefined ones count as 0."""
    values = []
    for seed, row in first.iterrows():
        if isinstance(second, pd.DataFrame) and seed not in second.index:
            continue
        other = second.loc[[seed]].iloc[0] if isinstance(second, pd.DataFrame) else second
        both = pd.concat([row, other], axis=1).dropna()
        values.append(srcc(both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy()))
    return [0.0 if np.isnan(value) else value for value in values]


def agreement_table(
    importance: pd.DataFrame, attribution: pd.DataFrame, effects: pd.DataFrame, associations: pd.DataFrame
) -> pd.DataFrame:
    """Compare rankings of operations: columns comparison, measure, value, low, high, number (of seeds or shuffles).

    Intervals are 95 % over seeds; for shuffles they are the 5th and 95th percentile, for two presets the extremes.
    """
    true = scores(importance, TRUE, "importance")
    of_all = attribution[attribution.family == attribution.family.iloc[0]]
    ablation = scores(of_all, TRUE, "ablation")
    signed, integrated = scores(of_all, TRUE, "signed"), scores(of_all, TRUE, "integrated")
    nodes = scores(of_all, TRUE, "nodes")
    measured = effects.set_index("operation").effect
    association = associations.set_index("operation").association
    compared: dict[str, tuple[pd.DataFrame, pd.DataFrame | pd.Series]] = {
        "importance, ablation": (true, ablation),
        "importance, ablation per node": (true, ablation / nodes),
        "importance, integrated gradients": (true, integrated.abs()),
        "importance, level of the ablation": (true, scores(of_all, TRUE, "level")),
        "importance, level of the ablation with its sign": (true, signed),
        "importance, importance before training": (true, scores(importance, INITIAL, "importance")),
        "importance, size of the matched effect in data": (true, measured.abs()),
        "importance, correlation of the share of nodes with the target": (true, association),
        "ablation, integrated gradients": (ablation, integrated.abs()),
        "ablation per node, size of the matched effect in data": (ablation / nodes, measured.abs()),
        "shuffled labels: importance, ablation": (
            scores(importance, f"{SHUFFLED}_1", "importance"),
            scores(of_all, f"{SHUFFLED}_1", "ablation"),
        ),
    }
    rows = [*_seed_rows(importance, ablation, measured.index.tolist()), *_null_rows(importance)]
    for name, sides in compared.items():
        values = correlations(*sides)
        if values:
            rows.append((name, "Spearman", *mean_with_interval(values, within=CORRELATION), len(values)))
    return pd.DataFrame(rows, columns=["comparison", "measure", "value", "low", "high", "number"])


def _seed_rows(importance: pd.DataFrame, ablation: pd.DataFrame, varying: list[str]) -> list[Row]:
    rows = []
    for preset in dict.fromkeys(importance.preset):
        rankings = scores(importance, TRUE, "importance", preset)
        rows.append((f"importance between seeds, {preset} preset", "Kendall", *seed_agreement(rankings), len(rankings)))
    some = scores(importance, TRUE, "importance")[varying]
    name = "importance between seeds, operations whose number varies"
    rows.append((name, "Kendall", *seed_agreement(some), len(some)))
    rows += _preset_rows(importance)
    return [*rows, ("ablation between seeds", "Kendall", *seed_agreement(ablation), len(ablation))]


def _preset_rows(importance: pd.DataFrame) -> list[Row]:
    """Agreement of every other preset with the cheap one: from the same initial weights, and from others."""
    cheap = scores(importance, TRUE, "importance")
    rows: list[Row] = []
    for preset in [name for name in dict.fromkeys(importance.preset) if name != CHEAP]:
        other = scores(importance, TRUE, "importance", preset)
        tau = {(a, b): kendalltau(other.loc[a], cheap.loc[b]).statistic for a in other.index for b in cheap.index}
        for text, same in (("the same seed", True), ("other seeds", False)):
            values = [value for (a, b), value in tau.items() if (a == b) == same]
            if values:
                name, mean = f"{preset} and {CHEAP} preset, {text}", float(np.mean(values))
                rows.append((name, "Kendall", mean, min(values), max(values), len(values)))
    return rows


def _null_rows(importance: pd.DataFrame) -> list[Row]:
    rows = []
    for kind, text in ((SHUFFLED, "labels shuffled"), (WITHIN, "labels shuffled inside families")):
        null = null_agreement(importance, kind).dropna()
        if len(null):
            low, high = np.quantile(null, [0.05, 0.95])
            rows.append((f"importance between seeds, {text}", "Kendall", null.mean(), low, high, len(null)))
    return rows


def summary_numbers(agreement: pd.DataFrame, summary: pd.DataFrame) -> dict[str, str]:
    """Return what the summary of the chapter quotes: comparisons of rankings, and the SRCC of each preset's head."""
    values = agreement.set_index("comparison").value
    heads = summary[summary.level == "head"].groupby("preset").srcc.first()
    texts = {name: or_unknown(values.get(row, np.nan), ".2f") for name, row in QUOTED.items()}
    return texts | {f"head_{name}": or_unknown(heads.get(name, np.nan), ".3f") for name in ("paper", "tuned")}
