"""The same choices at the real size: what each costs in Stable Diffusion's U-Net, and whether AutoBuild finds out."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.diffusion import real_size
from autobuild_book.chapters.diffusion.real_size.space import STAGES
from autobuild_book.chapters.diffusion.task.space import costs as mini_costs, unet_space
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.shared.few_labels import fit_job
from autobuild_book.chapters.shared.hosts import Bench
from autobuild_book.chapters.shared.ridge import AdditiveRidge, ridge_corpus
from autobuild_lib import data
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.evaluation import evaluate
from autobuild_lib.predictor import Predictor
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.features import Value, values_of
from autobuild_lib.statistics import srcc
from autobuild_lib.units.corpus import score_units

Array = npt.NDArray[np.float64]
TARGET = "gmacs"
TOP = 3  # modules of each unit that a reduced space is made of, as in the paper
TEST = 1_000  # architectures that rank correlations are computed on
HOSTS = 500  # in which modules are placed to see what they cost
MINI_STAGES = ("D1", "D2", "M", "U2", "U1")
MINI_REFERENCE = "|".join(["width32;yes;residual,residual"] * len(MINI_STAGES))
# Where the mini U-Net has a choice of the real one: a level is an encoder and a decoder stage there. Its middle stage
# stands for the fourth level and the middle stage, which share the coarsest resolution; the third level has none.
COUNTERPARTS: dict[tuple[str, str], tuple[int, ...]] = {
    ("L1", "width"): (0, 4), ("L1", "encoder"): (0,), ("L1", "decoder"): (4,), ("L1", "layers"): (0, 4),
    ("L2", "width"): (1, 3), ("L2", "encoder"): (1,), ("L2", "decoder"): (3,), ("L2", "layers"): (1, 3),
    ("L4", "width"): (2,), ("L4", "layers"): (2,), ("M", "middle"): (2,),
}  # fmt: skip
NAMES = {"encoder": "attention, encoder", "decoder": "attention, decoder", "middle": "attention", "layers": "blocks"}


# -------------------------------------------------------------------- what each choice costs


@dataclass(frozen=True)
class Step:
    """One choice raised by one value; the two architectures differ in nothing else."""

    text: str
    before: Architecture
    after: Architecture


def raised(reference: Architecture, places: Sequence[int], choice: str) -> list[Step]:
    """Return the steps of one choice, a unit feature or "layers", made at once in the units at `places`."""
    if not places:
        return []
    unit = reference.space.units[places[0]]
    values: Sequence[Value] = range(unit.min_layers, unit.max_layers + 1)
    if choice != "layers":
        values = values_of(dict(unit.features)[choice])
    built = [_with(reference, places, choice, value) for value in values]
    pairs = zip(itertools.pairwise(values), itertools.pairwise(built), strict=True)
    return [Step("add" if low == "no" else f"{low} to {high}", *ends) for (low, high), ends in pairs]


def _with(reference: Architecture, places: Sequence[int], choice: str, value: Value) -> Architecture:
    units = reference.units()
    for place in places:
        units[place][choice] = [units[place]["layers"][0]] * int(value) if choice == "layers" else value
    return reference.space.architecture(units)


def choice_costs() -> pd.DataFrame:
    """Return what every step of every choice costs, all else as in the original, beside the same in the mini U-Net.

    Columns: stage, choice, step; `m_parameters`, `gmacs` and `percent` (of the original's multiply-adds); mini_stages,
    `mini_k_parameters`, `mini_m_macs` and `mini_percent`, of a mini U-Net of width 32 with two blocks and attention
    everywhere, missing where it has no such choice.
    """
    original, small = real_size.original(), unet_space().parse(MINI_REFERENCE)
    rows: list[tuple[str, str, Step]] = []
    beside: list[tuple[int, str, Step]] = []
    for place, (stage, unit) in enumerate(zip(STAGES, original.space.units, strict=True)):
        for choice in [name for name, _ in unit.features] + ["layers"] * (unit.max_layers > 1):
            there = COUNTERPARTS.get((stage, choice), ())
            same = raised(small, there, choice if choice in ("width", "layers") else "attention")
            where = ", ".join(MINI_STAGES[each] for each in there)
            beside += [(len(rows) + number, where, step) for number, step in enumerate(same)]
            rows += [(stage, NAMES.get(choice, choice), step) for step in raised(original, (place,), choice)]
    table = pd.DataFrame({"stage": [row[0] for row in rows], "choice": [row[1] for row in rows]})
    table["step"] = [row[2].text for row in rows]
    changes = _changes(real_size.costs, original, [row[2] for row in rows], ("m_parameters", 1e6, "gmacs", 1e9))
    table = table.join(changes)
    mini = _changes(mini_costs, small, [row[2] for row in beside], ("mini_k_parameters", 1e3, "mini_m_macs", 1e6))
    mini.insert(0, "mini_stages", [row[1] for row in beside])
    mini.index = pd.Index([row[0] for row in beside])
    return table.join(mini.rename(columns={"percent": "mini_percent"}))


def _changes(
    costs: Callable[[list[Architecture]], pd.DataFrame],
    reference: Architecture,
    steps: Sequence[Step],
    units: tuple[str, float, str, float],
) -> pd.DataFrame:
    """Parameters and multiply-adds that steps add, in units, and the latter in percent of the reference's."""
    before, after, whole = (
        costs(some) for some in ([step.before for step in steps], [step.after for step in steps], [reference])
    )
    change, (parameters, few, macs, many) = after - before, units
    columns = {parameters: change["parameters"] / few, macs: change["macs"] / many}
    return pd.DataFrame(columns | {"percent": 100 * change["macs"] / whole["macs"].iloc[0]})


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of `choice_costs` for a page: rounded, with units, empty where there is no counterpart."""
    names = {
        "m_parameters": "M params", "gmacs": "GMACs", "percent": "% MACs", "mini_stages": "in the mini",
        "mini_k_parameters": "k params", "mini_m_macs": "MMACs", "mini_percent": "% mini MACs",
    }  # fmt: skip
    shown = table.assign(mini_stages=table["mini_stages"].fillna(""))
    for name in table.columns[3:]:
        if name != "mini_stages":
            shown[name] = [f"{value:+.1f}" if np.isfinite(value) else "" for value in table[name]]
    return shown.rename(columns=names).set_index(["stage", "choice", "step"])


# -------------------------------------------------------------------- does AutoBuild find out?


def draw_table(size: int, seed: int) -> Table:
    """Draw different architectures of the real space with their `gmacs`, which are counted: labels without noise."""
    space = real_size.unet_space()
    drawn = list(dict.fromkeys(space.sample(np.random.default_rng(seed), size + size // 10 + 1)))[:size]
    labels = real_size.costs(drawn)[["macs"]].rename(columns={"macs": TARGET}) / 1e9
    return make_table(space, drawn, labels, source="multiply-adds of the real U-Nets", kind="counted")


@dataclass(frozen=True)
class Learnt:
    """A predictor of multiply-adds and the rows it learnt from."""

    seed: int
    train: Table
    predictor: Predictor


def learn(table: Table, sizes: Sequence[int], seeds: Sequence[int], training_steps: int, folder: Path) -> list[Learnt]:
    """Train one predictor per seed on the first rows of a table, for each of several sizes, by the chapter's recipe.

    folder: for trained predictors; a later call takes them from there.
    """
    parts = [(seed, table.take(range(size))) for size in sizes for seed in seeds]
    return [
        Learnt(seed, train, fit_job(train, (TARGET,), seed, training_steps).run(folder)[0])
        for seed, train in progress_bar(parts, desc="training", delay=2)
    ]


def rank_quality(learnt: Sequence[Learnt], test: Table) -> pd.DataFrame:
    """Rank correlation on architectures nobody learnt from: columns labels, seed, level (hop, head, ridge), srcc."""
    truth, rows = test.labels[TARGET].to_numpy(), []
    for learner in learnt:
        ridge = AdditiveRidge(test.space).fit(learner.train.architectures, learner.train.labels[TARGET].to_numpy())
        levels = evaluate(learner.predictor, test)["srcc"].to_dict()
        levels["ridge"] = srcc(ridge.predict(test.architectures), truth)
        rows += [(len(learner.train), learner.seed, level, value) for level, value in levels.items()]
    return pd.DataFrame(rows, columns=["labels", "seed", "level", "srcc"])


def true_effects(hosts: int, seed: int) -> list[Array]:
    """Return what every module of every unit does to `gmacs`: mean over hosts with it in place, minus over the hosts.

    The hosts are drawn from a stream of their own, so no score has seen them. One array [contents] per unit.
    """
    space = real_size.unet_space()
    bench = Bench(space, real_size.costs_of_codes, space.sample_codes(np.random.default_rng([seed, 3]), hosts))
    mean, effects = real_size.costs_of_codes(bench.hosts)["macs"].mean(), []
    for number, group in enumerate(space.scoring_groups):
        placed = np.concatenate([bench.with_modules(number, code) for code in group.contents()])
        values = real_size.costs_of_codes(placed)["macs"].to_numpy(dtype=np.float64).reshape(-1, hosts)
        effects.append((values.mean(1) - mean) / 1e9)
    return effects


def module_scores(learnt: Sequence[Learnt], truth: Sequence[Array]) -> pd.DataFrame:
    """Score every module three ways from every predictor: columns labels, seed, score, stage, module, value, truth.

    `module` counts the modules of a stage, `truth` is what `true_effects` says of it; both numbers are in GMACs. Norm
    and ridge scores are levels and no differences, so `value` is minus its mean over the modules of the stage.
    """
    frames = []
    for learner in learnt:
        corpora = {kind: score_units(learner.predictor, kind, progress=False) for kind in ("norm", "effect")}
        corpora["ridge"] = ridge_corpus(learner.train, TARGET, corpora["norm"].head)
        for kind, corpus in corpora.items():
            key = {"labels": len(learner.train), "seed": learner.seed, "score": kind}
            for stage, group, effects in zip(STAGES, corpus.groups, truth, strict=True):
                columns = {"stage": stage, "module": range(len(effects)), "value": group.scores - group.scores.mean()}
                frames.append(pd.DataFrame({**key, **columns, "truth": effects}))
    return pd.concat(frames, ignore_index=True)


def score_agreement(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare module scores with true effects: columns labels, seed, score, stage, srcc, top, most.

    `top` is how many of the `most` costliest modules are among as many highest scores: `TOP` of a level, and one of
    the two of the middle stage.
    """
    keys, rows = ["labels", "seed", "score", "stage"], []
    for key, modules in scores.groupby(keys, sort=False):
        value, truth = modules["value"].to_numpy(), modules["truth"].to_numpy()
        most = min(TOP, len(modules) - 1)
        chosen, costliest = (set(np.argsort(-numbers, kind="stable")[:most]) for numbers in (value, truth))
        rows.append((*key, srcc(value, truth), len(chosen & costliest), most))
    return pd.DataFrame(rows, columns=[*keys, "srcc", "top", "most"])


def mean_over_seeds(ranks: pd.DataFrame, agreed: pd.DataFrame) -> pd.DataFrame:
    """Return a row per number of labels and quantity; every number is a mean over seeds.

    Columns: labels, what (a hop, head, ridge, or a score), `srcc`, and for scores `top_found`. The SRCC of a score is
    the mean over the four levels (the middle stage has two modules), `top_found` the share of the costliest modules
    found over all stages.
    """
    levels = ranks.groupby(["labels", "level"], sort=False)["srcc"].mean().reset_index()
    by = ["labels", "score"]
    agreements = agreed[agreed["stage"] != STAGES[-1]].groupby(by, sort=False)["srcc"].mean().reset_index()
    sums = agreed.groupby(by, sort=False)[["top", "most"]].sum()
    agreements["top_found"] = (sums["top"] / sums["most"]).to_numpy()
    agreements["score"] = "module scores, " + agreements["score"]
    levels["level"] = "networks, " + levels["level"]
    both = [frame.rename(columns={frame.columns[1]: "what"}) for frame in (levels, agreements)]
    return pd.concat(both, ignore_index=True)


def real_size_numbers(costs: pd.DataFrame, summary: pd.DataFrame) -> dict[str, str]:
    """Return what the page says in words: sizes, costs, and rank correlations by number of labels."""
    macs, parameters = real_size.costs([real_size.original()]).iloc[0]
    ours = data.load(NAME).labels[["macs", "parameters"]].mean()
    block = costs[(costs["choice"] == "blocks") & (costs["step"] == "2 to 3")].set_index("stage")
    fine, coarse = block.loc["L1"], block.loc["L4"]
    facts = {
        "parameters": f"{parameters:,}",
        "gmacs": f"{macs / 1e9:.1f}",
        "times_macs": _two_digits(macs / ours["macs"]),
        "times_parameters": _two_digits(parameters / ours["parameters"]),
        "architectures": f"{real_size.unet_space().size:,}",
        "fine_block": f"{fine.m_parameters:.0f} million parameters and {fine.gmacs:.0f} GMACs",
        "coarse_block": f"{coarse.m_parameters:.0f} million parameters and {coarse.gmacs:.0f} GMACs",
    }
    ranked, scored = [], []
    for labels, quantities in summary.groupby("labels"):
        value = quantities.set_index("what")["srcc"].map("{:.2f}".format)
        ranked.append(f"from {labels} labels {value['networks, head']} (ridge {value['networks, ridge']})")
        kinds = {"norm": "the norm score", "effect": "the effect score", "ridge": "the ridge"}
        parts = [f"{value[f'module scores, {kind}']} for {name}" for kind, name in kinds.items()]
        scored.append(f"from {labels} labels {', '.join(parts)}")
    return facts | {"networks": "; ".join(ranked), "modules": "; ".join(scored)}


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"
