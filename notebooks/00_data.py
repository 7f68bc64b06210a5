# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# (data)=
# # The data, and what they can show
#
# A companion that reruns experiments stands or falls with its labels. Training thousands of networks on ImageNet
# and timing them on three devices is out of reach for most readers, so this book works with six kinds of data
# and never mixes them without saying so. This chapter looks at each, checks the tables that come with the book,
# and says what may be concluded from them.
#
# **What you will learn**
#
# - where every label in the book comes from, and how to check it;
# - what the bundled tables look like, and why noise was added to them;
# - how closely the surrogates follow the predictors they imitate;
# - which conclusions surrogate labels allow, and which they do not.

# %% [markdown]
# ## Set-up
#
# `data` is `bundled`, or one source for one family: `released:ofa_mbv3`, a `.pkl` of the authors, or your own
# `.csv`
# (then `space` names its search space: a family, or a JSON description).

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345  # nothing on this page is random; kept for the record
data = "bundled"
space = ""
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
import json

import pandas as pd
from myst_nb import glue
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.foundations import data_figures
from autobuild_book.figures import style
from autobuild_book.measured.teachers import published
from autobuild_book.runs.recording import Run
from autobuild_lib.data import files
from autobuild_lib.spaces import read_space

run = Run.start("00_data", globals())

# %% [markdown]
# ## Six kinds of data
#
# | kind | what it is | in this repository? |
# |---|---|---|
# | released | the authors' public caches: real ImageNet accuracy, real latency | no: downloaded on request |
# | surrogate | labels from small networks that imitate the authors' published predictors | yes |
# | benchmark | networks that other people trained and timed, in published tables | no: a package, and downloads |
# | measured here | trained and evaluated, or timed, by this project's code | yes, and can be made again |
# | counted | multiply-adds and parameters, which follow from an architecture; exact | yes |
# | yours | a CSV, or records, in your own search space | no |
#
# Released caches are Python pickles, a format that can run code when it is opened. The library reads them through
# an unpickler that knows containers and numbers and refuses everything else. Benchmarks (NAS-Bench-Graph
# {cite:p}`qin2022nasbenchgraph`, Accel-NASBench {cite:p}`ahmad2024accelnasbench`, HELP {cite:p}`lee2021help`) are
# read in the same way, and only in the version that this book is about, told by checksums. Each bundled table has an
# entry in a manifest, with the command that built it and a checksum that is compared before the table is opened:

# %%
entries = [
    {
        "rows": e.rows,
        "kind": e.kind,
        "source": e.source,
        "built with": e.builder,
        "sha256": e.sha256[:12],
    }
    for e in ab.data.manifest().values()
]
pd.set_option("display.max_colwidth", None)
pd.DataFrame(entries, index=pd.Index(ab.data.manifest(), name="table")).T

# %% [markdown]
# ## What the tables look like
#
# The two families are OFA-MobileNetV3 {cite:p}`cai2020once,howard2019searching` and OFA-ProxylessNAS
# {cite:p}`cai2020once,cai2019proxylessnas`. Architectures were drawn with uniform depths, expansions and kernels,
# at an input resolution of 224 pixels. One label needs no measurement: `flops_m` counts the multiply-adds of a network
# for one image, in millions, and is exact. Tables that were measured here have their own chapters.

# %%
families = [e.name for e in ab.data.manifest().values() if e.kind == "surrogate"]
sources = families if data == "bundled" else [data]
own_space = read_space(space) if space else None
loaded = [run.uses(ab.data.load(source, space=own_space)) for source in sources]
tables = {table.space.name: table for table in loaded}
labels = {family: table.labels for family, table in tables.items()}
summaries = {
    family: frame.agg(["min", "median", "max"]) for family, frame in labels.items()
}
pd.concat(summaries).round(4)

# %% [markdown]
# Their distributions:

# %% tags=["remove-output"]
glue("figure_distributions", data_figures.label_distributions(labels))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_distributions
# ---
# name: figure-distributions
# alt: >-
#   Five histograms, of accuracy, of GPU, CPU and NPU latency and of multiply-adds. Each shows MobileNetV3 in blue and
#   ProxylessNAS in orange, with a dashed line at each median. Vertical axes count architectures.
# ---
#
# Distribution of every label over the architectures of the two families; dashed lines are medians. Data: the
# bundled tables, whose labels are surrogate labels with noise (unless this page was run on another source);
# multiply-adds are counted.
# ```

# %% [markdown]
# Accuracy and latency pull against each other. The upper left edge of each cloud is what network design is after:
# no architecture of the table is both faster and more accurate.

# %% tags=["remove-output"]
with_accuracy = {name: frame for name, frame in labels.items() if {"acc"} < set(frame)}
skipped = style.note("skipped: these data have no accuracy beside another label")
glue("figure_accuracy_latency", data_figures.accuracy_latency(with_accuracy) if with_accuracy else skipped)

# %% [markdown]
# ```{glue:figure} figure_accuracy_latency
# ---
# name: figure-accuracy-latency
# alt: >-
#   Four scatter plots of accuracy, against GPU, CPU and NPU latency and against multiply-adds, a dot per architecture,
#   MobileNetV3 in blue and ProxylessNAS in orange.
# ---
#
# Accuracy against latency on three devices, and against multiply-adds; a dot is an architecture. Towards the upper
# left is better. Data: the bundled tables, whose labels are surrogate labels with noise (unless this page was run on
# another source); multiply-adds are counted.
# ```

# %% [markdown]
# ## Why the labels carry noise
#
# A network that imitates a predictor is smooth: it lacks the scatter of real measurements, and a student learning
# from it would look too good. Each published checkpoint states its own mean absolute error (MAE) on real
# measurements. The bundled labels are surrogate values plus Gaussian noise with *that* mean absolute value, and
# the value before noise is kept beside each label. So the **noise ceiling** is known: the rank correlation (SRCC)
# between noise-free and noisy labels, which no model can be expected to exceed on these tables. Multiply-adds are
# counted, so they carry no noise and are left out here.

# %%
rows = []
for family, table in tables.items():
    free = table.noise_free if table.noise_free is not None else pd.DataFrame()
    for name in free.columns.drop(files.FLOPS, errors="ignore"):
        added = (table.labels[name] - free[name]).abs().mean()
        ceiling = spearmanr(free[name], table.labels[name]).statistic
        rows.append((family, name, published()[family][name]["mae"], added, ceiling))
columns = ["family", "label", "published MAE", "mean |noise|", "noise ceiling (SRCC)"]
noise = run.table("noise", lambda: pd.DataFrame(rows, columns=columns))
noise.set_index(["family", "label"]).round(4) if rows else "skipped: no noise-free labels"

# %% [markdown]
# One family, label by label:

# %% tags=["remove-output"]
first = next((table for table in tables.values() if table.noise_free is not None), None)
skipped = style.note("skipped: these data have no noise-free labels")
drawn = data_figures.noise(first.noise_free, first.labels[noise.label.unique()]) if first else skipped
glue("figure_noise", drawn)

# %% [markdown]
# ```{glue:figure} figure_noise
# ---
# name: figure-noise
# alt: >-
#   Four scatter plots of labels with noise against the same labels without noise, for accuracy and three latencies of
#   MobileNetV3, a dot per architecture, with a line where both are equal.
# ---
#
# Labels of OFA-MobileNetV3 with noise against the same labels without; the line marks equality. The wider the
# scatter, the lower the noise ceiling. Data: the bundled table; both axes are surrogate labels, and the noise is
# as large as the test error that the published predictor states about itself.
# ```

# %% [markdown]
# ## How closely the surrogates follow their teachers
#
# A surrogate is *distilled*: it learns the outputs of the authors' published predictors, its teachers, on
# hundreds of thousands of architectures. On fresh ones, we compare the mean absolute difference to the teacher
# with the test MAE that the teacher states about itself: a ratio well below 1 means that imitating adds little to
# an error that was there anyway. Uniform samples are what the tables hold; *extreme* ones lie towards the edges
# of the space, where later chapters build networks. This comparison needs the teachers, so it is computed once
# and committed as a table.

# %%
fidelity = pd.read_csv(files.FILES / "surrogate_fidelity.csv")
limits = {"uniform": 0.40, "extreme": 0.75}  # set before the surrogates were distilled
wide = fidelity.pivot(
    index=["family", "label"], columns="sample", values=["ratio", "srcc"]
)
wide.round(4)

# %% [markdown]
# Against the limits:

# %% tags=["remove-output"]
glue("figure_fidelity", data_figures.surrogate_fidelity(fidelity, limits))

# %% [markdown]
# ```{glue:figure} figure_fidelity
# ---
# name: figure-fidelity
# alt: >-
#   Dot plot with one row for each family and label. Blue dots are uniform samples, orange squares extreme samples; the
#   horizontal axis is the difference between surrogate and teacher relative to the teacher's published error. Dashed
#   lines mark the limits 0.4 and 0.75.
# ---
#
# Mean absolute difference between surrogate and published predictor, divided by the test error that the predictor
# states about itself, on fresh architectures; dashed lines are the limits set beforehand. Data: outputs of
# surrogates and of the published predictors; no measurement is involved.
# ```

# %% [markdown]
# Of the {glue:text}`comparisons` comparisons, {glue:text}`within_limits` stay within their limit; the largest
# ratio is {glue:text}`largest_ratio:.2f`. Ranks were asked to agree more closely still: an SRCC of at least 0.998 for
# accuracy and GPU latency, 0.995 for the others. Short of that: {glue:text}`rank_short`. Close architectures can swap
# ranks where a teacher is rough on a small scale, and the surrogate is smoother than its teacher.
#
# Each surrogate comes with a model card, which says what it is and what it is not:

# %%
paths = sorted(files.FILES.glob("surrogate_*.json"))
cards = {
    path.stem.removeprefix("surrogate_"): json.loads(path.read_text(encoding="utf-8"))
    for path in paths
}
shown = ["what", "is_not", "source", "training_architectures", "seed"]
for family, card in cards.items():
    print(family, *[f"{key}: {card[key]}" for key in shown], sep="\n  ", end="\n\n")

# %% [markdown]
# ## What surrogate labels can and cannot show
#
# They **can** show
#
# - whether the method's machinery works as the paper says: norms that rank, scores that agree with predictions,
#   reduced spaces that contain better architectures *according to the labels*;
# - how methods compare on the same labels, at a cost that allows many seeds;
# - how much data a method needs, since any number of architectures can be labelled.
#
# They **cannot** show
#
# - that a built network is better on ImageNet, or faster on a phone: nothing was trained or timed;
# - that a method finds what its teachers do not know: the same surrogate that labels the training table also
#   judges what is built from it, and both inherit the teachers' blind spots;
# - anything away from resolution 224, where the teachers' latencies are not credible.
#
# ## Checks
#
# What this page says about the data, as assertions:

# %%
for family, table in tables.items():
    assert len(set(table.architectures)) == len(table), (
        f"{family}: an architecture stands twice"
    )
    assert all(architecture in table.space for architecture in table.architectures[:100])
    assert (
        table.sha256 in {entry.sha256 for entry in ab.data.manifest().values()}
        or data != "bundled"
    )
assert (
    (noise["mean |noise|"] / noise["published MAE"]).between(0.9, 1.1)
    | (data != "bundled")
).all()
assert (noise["noise ceiling (SRCC)"] < 1).all()
assert set(fidelity["sample"]) == set(limits) and (fidelity.srcc > 0.9).all()

# %% [markdown]
# ## Summary
#
# - Six kinds of data: released, surrogate, benchmark, measured here, counted, yours. Each figure names its kind.
# - Bundled tables are checked against a manifest before they are opened.
# - Their labels are surrogate values with noise as large as the published predictors' own error, so the best
#   reachable rank correlation is known.
# - They are evidence about the method, not about ImageNet.
#
# ## Exercises
#
# ```{exercise} The lowest ceiling
# :label: exercise-lowest-ceiling
#
# Which label has the lowest noise ceiling in each family, and why can no number of training rows raise it?
# ```
#
# ```{solution} exercise-lowest-ceiling
# :class: dropdown
#
# CPU latency in both; the table above has the numbers. What counts is the noise beside the spread of the label: with a
# standard deviation of 52 ms and noise of 17 ms in OFA-MobileNetV3, and of 17 and 8 ms in OFA-ProxylessNAS, noise
# settles the order of networks that are close. More rows average it out of the *model*, not out of the labels of the
# test.
# ```
#
# ```{exercise} Beyond the table
# :label: exercise-beyond-the-table
#
# Draw 1,000 new architectures with `space.sample` and label them with `ab.surrogate.ofa_mbv3().predict`. How often is
# the most accurate one better than every row of the bundled table? Say first what you expect.
# ```
#
# ```{solution} exercise-beyond-the-table
# :class: dropdown
#
# The table and the new draws are 4,000 draws from one distribution, so the best of all is a new one with a chance of
# one in four; less here, because the labels of the table have noise on top, which widens their range.
#
# ~~~python
# for family in ("ofa_mbv3", "ofa_pn"):
#     table, surrogate = ab.data.load(family), getattr(ab.surrogate, family)()
#     best = [surrogate.predict(table.space.sample(1000, seed)).acc.max() for seed in range(40)]
#     print(family, sum(value > table.labels.acc.max() for value in best),
#           sum(value > table.noise_free.acc.max() for value in best))
# ~~~
#
# Of 40 samples, 6 have a network above all labels of OFA-MobileNetV3's table, and 11 one above all noise-free ones,
# about a quarter. In OFA-ProxylessNAS it is 0 and 1: its table happens to hold an unusually good network, and every
# sample is compared with that same one. Forty comparisons with one table are not forty independent ones.
# ```
#
# ```{exercise} Better than everything known
# :label: exercise-better-than-known
#
# A search finds an architecture whose surrogate accuracy is above every label in the table. Name two explanations that
# do not involve a better network.
# ```
#
# ```{solution} exercise-better-than-known
# :class: dropdown
#
# The surrogate may extrapolate wrongly at the edge of the space, and so may its teacher: a search looks for exactly the
# places where a model errs upwards. And the table holds a small random part of the space: its maximum is not the
# maximum of the space.
# ```

# %% [markdown]
# ## What this page is built with
#
# The metrics are written beside the executed notebook, and the numbers in the text above are read from them.

# %% tags=["hide-input"]
within = fidelity.ratio <= fidelity["sample"].map(limits)
asked = fidelity["label"].map({"acc": 0.998, "latency_gpu": 0.998}).fillna(0.995)
short = fidelity[fidelity["srcc"] < asked]
rank_short = "; ".join(f"{r.family} {r.label}, {r.sample} ({r.srcc:.4f})" for r in short.itertuples())
record = run.finish(
    comparisons=len(fidelity),
    within_limits=int(within.sum()),
    largest_ratio=float(fidelity.ratio.max()),
    rank_short=rank_short or "none",
    noise=noise.to_dict("records"),
)
for name in ("comparisons", "within_limits", "largest_ratio", "rank_short"):
    glue(name, record["metrics"][name], display=False)
run.provenance()
