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
# (your-own-space)=
# # Your own search space
#
# The method knows nothing of MobileNets. It needs a space whose architectures are units of layers, and a table of
# architectures with labels. This page goes from a CSV to a built network in about twenty lines, on a space that has
# little in common with the paper's: small perceptrons for handwritten digits, with features of other names, a feature
# that is a number, a width that is chosen once per unit, and units of different depths.
#
# **What you will learn**
#
# - how to describe a search space: units, features with names of your own, a continuous feature;
# - what a CSV of evaluated architectures looks like;
# - how to get from there to a predictor, module scores and networks;
# - how to find out honestly whether the networks are any good;
# - how to describe spaces whose units are not in a row: cells, trees, and networks with skip connections.

# %% [markdown]
# ## Set-up
#
# With `data` and `space` of your own (a CSV, and a JSON description as `space.to_json()` gives it) this page runs on
# them; `label` then names the column to learn, spaces and all (`-p label "val score"`). Only the last section, which
# trains perceptrons, is left out. `options` holds further options of `ab.fit` by name, as `autobuild fit --help` lists
# them; a space with deeper units than four hops see gets the hops that the norm score needs, unless `options` says how
# many.

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345
data = "bundled"
space = ""
label = "accuracy"
epochs = 40
options = {}  # for example {"hops": 5, "learning_rate": 0.003}
built = 4  # networks to build, and to take from the table
runs_each = 3  # trainings of each of them at the end
hosts = 16  # networks in which the effect score looks at each module
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
import itertools

import numpy as np
from myst_nb import glue

import autobuild_lib as ab
from autobuild_book import intervals
from autobuild_book.chapters.your_space import experiment, mlps, trust, zoo
from autobuild_book.figures import comparison, style
from autobuild_book.hops import enough_hops
from autobuild_book.runs.recording import Run
from autobuild_lib import targets
from autobuild_lib.spaces import read_space

run = Run.start("09_your_own_space", globals())

# %% [markdown]
# ## Describe the space
#
# A perceptron here is a *wide* unit of one to three layers, a *narrow* one of one or two, and a *tail* of up to four
# layers that keeps the narrow unit's width. A unit's own features, here `width`, are chosen once and seen by all its
# layers. Layer features are chosen for every layer: a list is categorical, `Continuous` is a number, here the share
# of outputs that dropout silences {cite:p}`srivastava2014dropout`.

# %%
my_space = ab.SequenceSpace(
    name="digit_mlps",
    units=[
        ab.Unit(min_layers=1, max_layers=3, features={"width": [32, 64, 96]}),
        ab.Unit(min_layers=1, max_layers=2, features={"width": [6, 12, 24]}),
        ab.Unit(min_layers=1, max_layers=4),
    ],
    layer_features={
        "activation": ["linear", "relu", "tanh"],
        "dropout": ab.Continuous(values=[0.0, 0.1, 0.3]),
    },
)
my_space = read_space(space) if space else my_space
print(f"{my_space.size:,} architectures")

# %% [markdown]
# (read-the-table)=
# ## Read the table
#
# The CSV has a column `architecture`, in the text form that `str(architecture)` gives, and a numeric column for each
# label. Units stand between bars, a unit's features before a semicolon, layers between commas. If your records have
# another form, build architectures with `space.architecture(...)` and a table with `ab.data.from_records(...)`.
#
# This one holds perceptrons drawn at random. For each, `accuracy` is the share of 500 validation images that it
# classifies rightly, mean of two trainings by this project. `autobuild task mlps measure` makes it again.

# %%
source = "digit_mlps" if data == "bundled" else data  # or the path of a CSV
table = run.uses(ab.data.load(source, space=my_space))
target = ab.Target(targets.quoted(label))
table.evaluate(target)  # an error names the labels that are there, and rows without one
train, test = table.split(0.9, seed=12345)
for architecture, value in list(zip(table.architectures, table.labels[label], strict=True))[:3]:
    print(f"{value:.3f}  {architecture}")

# %% [markdown]
# ## Train, score, build
#
# This is the whole method. `evaluate` says how well each hop's norms, and the head, rank the test architectures;
# `score_units` scores every content of every unit; `top` keeps those of each that score highest; `best` lists the
# combinations with the highest sums of scores.

# %%
hops = {"hops": enough_hops(my_space)}
predictor = ab.fit(my_space, train, target, seed, preset="tuned", **hops | {"epochs": epochs} | options)
report = ab.evaluate(predictor, test)
corpus = ab.score_units(predictor)  # score="norm", the paper's; or "effect"
reduced = corpus.top(k=3)
networks = reduced.best(built)

# %% [markdown]
# How far can this be trusted? The intervals are wide, since the test split of a small table is small. A hop may even
# rank the wrong way round, for the loss asks norms to rank and cannot make them ([the method](method)).

# %%
run.table("report", lambda: report.reset_index())
report[["srcc", "low", "high"]].round(3)

# %% [markdown]
# The norm score reads one hop for each number of layers that a module may have, the effect score reads the head. Where
# one of these ranks no better than chance, its interval not above 0, nothing that the score puts first is called good.

# %%
from IPython.display import Markdown

doubted = trust.doubts(report, my_space)
Markdown(trust.warning(report, doubted))

# %% [markdown]
# The networks that either score builds, the highest sum of its scores first, with the head's prediction of their label.
# `doubts` names what ranks no better than chance among what the score reads.

# %%
by_effect = ab.score_units(predictor, score="effect", hosts=hosts).top(k=3)
spaces = {"norm": reduced, "effect": by_effect}
both = {score: (kept, kept.best(built)) for score, kept in spaces.items()}
run.table("networks", lambda: trust.built_networks(predictor, both, doubted)).round(3)

# %% [markdown]
# Nothing is hidden in `top` and `best`: three contents of every unit with the highest scores, all their combinations,
# and of these the ones with the highest sum. The same from the table of module scores:

# %%
of_units = [modules.nlargest(3, "score").score for _, modules in corpus.table.groupby("unit")]
sums = sorted((sum(scores) for scores in itertools.product(*of_units)), reverse=True)
assert len(sums) == reduced.size and np.allclose(sums[:built], reduced.scores(networks))
print(f"{len(sums)} combinations; the highest sums of scores:", *(f"{total:.3f}" for total in sums[:built]))

# %% [markdown]
# And the modules that the norm score puts first. A score orders the contents of units on the scale of the label. It is
# no prediction: a score above 1 does not promise an accuracy above 1.

# %%
first_modules = corpus.table.sort_values("score", ascending=False).groupby("unit").head(2)
run.table("modules", lambda: first_modules)
first_modules.sort_values(["unit", "score"], ascending=[True, False]).round(3)

# %% [markdown]
# ## Are they any good?
#
# A predictor's opinion of its own networks is no evidence. So we train them, and beside them the best ones of the
# table, and those that the *effect* score builds: it asks the same predictor what a module does to the prediction
# inside other networks, instead of reading norms. The table's best were chosen for their labels, so part of their lead
# is luck; all are trained again with the same fresh seeds and judged on 500 images that no label rests on.

# %%
top = table.labels[label].to_numpy().argsort()[::-1][:built]
choices = {f"built, {score} score": networks for score, (_, networks) in both.items()}
choices |= {"best of the table": [table.architectures[row] for row in top]}
trains = my_space == mlps.mlp_space()
seeds = range(seed, seed + runs_each) if trains else []
runs = run.table("runs", lambda: experiment.train_again(choices, seeds))
gains = run.table("gains", lambda: experiment.gains(runs) if trains else runs)
gains if trains else print("Not perceptrons: train and judge them with a program of your own.")

# %% [markdown]
# One point for each training:

# %% tags=["remove-output"]
shown = runs.rename(columns={"accuracy": "accuracy on unseen images"})
figure = comparison.run_comparison(shown, ["choice"], ["accuracy on unseen images"]) if trains else style.note(
    "Networks of another space are not trained here."
)
glue("figure_own_space", figure)

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_own_space
# ---
# name: figure-own-space
# alt: >-
#   Three rows of points on an axis of accuracy: networks built by the norm score, by the effect score, and the best
#   networks of the table, each with its mean and interval.
# ---
#
# Accuracy on 500 handwritten digits that no label rests on. One point for each training of each network; bars are
# means and 95 % intervals over trainings. *Built*: the combinations of the three first modules of each unit with the
# highest sums, by either score. *Best of the table*: the networks with the highest labels. Measured here.
# ```

# %% [markdown]
# (spaces-that-are-no-paths)=
# ## Spaces that are not paths
#
# Units need not stand in a row. `links` lists for every unit the units that it reads from; one that reads from none
# reads the input, and what no unit reads feeds the output. A table, a predictor, scores and a search take such a space
# as they take any other. In a unit, layers still follow each other.
#
# A cell of NAS-Bench-201 {cite:p}`dong2020nasbench201` has four feature maps and an operation on each of the six edges
# between them. Here operations are what is chosen, so every edge is a unit, which reads from the edges that end where
# it starts. The last one, for example, leaves the third feature map, where edges 1 and 2 end.

# %%
nas_bench_201 = ab.SequenceSpace(
    "nas_bench_201",
    units=[ab.Unit(1, 1)] * 6,
    layer_features={"op": ["none", "skip", "conv1", "conv3", "pool3"]},
    links=[[], [], [0], [], [0], [1, 2]],
)
cell = nas_bench_201.parse("conv3|skip|conv3|skip|none|conv1")
degrees, _ = nas_bench_201.predecessors(nas_bench_201.to_codes([cell]))
print(f"{nas_bench_201.size:,} cells; predecessors of the six layers:", *degrees)

# %% [markdown]
# The networks of NAS-Bench-Graph {cite:p}`qin2022nasbenchgraph` are trees of four operations. There are nine trees,
# and an architecture chooses one of them: `links` is then a mapping from names to lists. In the text form the name
# stands in front, and `space.architecture(units, links="0012")` takes it like a global feature. Here a name says for
# each of the four what it reads from, counted from 1, and 0 is the input.

# %%
trees = ["0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123"]
nas_bench_graph = ab.SequenceSpace(
    "nas_bench_graph",
    units=[ab.Unit(1, 1)] * 4,
    layer_features={"op": ["gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip"]},
    links={tree: [[int(n) - 1] if n != "0" else [] for n in tree] for tree in trees},
)
twice = [nas_bench_graph.parse(text) for text in ("0012|gat|gcn|gin|fc", "0012|gcn|gat|fc|gin")]
print(*twice, "are written differently; both are", *{nas_bench_graph.canonical(one) for one in twice})

# %% [markdown]
# The two are one graph: `canonical` gives the same architecture for all that are isomorphic, whatever the order of
# equal units, and whatever their links are called. Tables refuse the second row about one graph, or take the mean of
# both (`duplicates="mean"`); searches evaluate a graph once, and reduced spaces list it once. What an operation *does*,
# a space does not know. The benchmark's authors do: a `skip` only hands on what it reads, so they trained networks that
# differ in skips alone once, and none in which nothing is left. Their number comes out when skips, and outputs that
# would read the bare input, are left out:


# %%
def after(links, layers, source=()):
    """Return what reads a unit (at first: the input), written as nested calls; a skip hands on what it reads."""
    texts = []
    for unit in (unit for unit, row in enumerate(links) if row == source):
        following = after(links, layers, (unit,)) or ["output"]
        texts += following if layers[unit] == "skip" else [f"{layers[unit]}({', '.join(following)})"]
    return sorted(texts)


codes = nas_bench_graph.to_codes(list(nas_bench_graph))
graphs = nas_bench_graph.from_codes(np.unique(nas_bench_graph.canonical_codes(codes), axis=0))
written = (after(graph.links, [layer for (layer,) in graph.to_lists()]) for graph in graphs)
trained = {tuple(text for text in texts if text != "output") for texts in written} - {()}
print(f"{len(codes):,} architectures, {len(graphs):,} graphs, {len(trained):,} without skips")

# %% [markdown]
# A small U-Net {cite:p}`ronneberger2015unet`: two units go down, one is the middle, and two go up, which read from the
# unit below and, by a skip connection, from the unit of their size on the way down. Depth and width are searched in
# every unit.

# %%
small_unet = ab.SequenceSpace(
    "small_unet",
    units=[ab.Unit(1, 3, features={"width": [16, 32, 64]})] * 5,
    layer_features={"block": ["residual", "attention"]},
    links=[[], [0], [1], [1, 2], [0, 3]],
)
print(f"{small_unet.size:,} U-Nets, such as", small_unet.sample(1, seed)[0])

# %% [markdown]
# Last, cells as DARTS {cite:p}`liu2019darts` searches them, with three nodes instead of four. A node adds up two edges,
# each with an operation, from two of the nodes before it, where the outputs of the last two cells are the first two. So
# here both the operations and the links are to be chosen. The two inputs are units without a choice.

# %%
operations = ["conv3", "conv5", "dilated3", "dilated5", "max_pool", "mean_pool", "skip"]
inputs = [ab.Unit(1, 1, layer_features={"op": [name]}) for name in ("last", "one_before")]
ends = [[0], [1], [2, 3], [4, 5]]  # units that end in each node: the inputs, then two edges a node
pairs = [itertools.combinations(range(2 + node), 2) for node in range(3)]
darts_cell = ab.SequenceSpace(
    "darts_cell",
    units=[*inputs, *[ab.Unit(1, 1, layer_features={"op": operations})] * 6],
    layer_features={"op": ["last", "one_before", *operations]},
    links={
        "_".join(f"{a}{b}" for a, b in chosen): [[], [], *(ends[node] for pair in chosen for node in pair)]
        for chosen in itertools.product(*pairs)
    },
)
print(f"{len(darts_cell.links)} ways to link, {darts_cell.size:,} cells")

# %% [markdown]
# From here on nothing is new. A predictor of a few epochs, with the number of convolutions as a label that needs no
# training, and the best cells of one of the ways to link:

# %%
drawn = list({darts_cell.canonical(one): one for one in darts_cell.sample(300, seed)}.values())
count = [{"convolutions": str(one).count("conv")} for one in drawn]
cells = ab.data.from_records(darts_cell, list(zip(drawn, count, strict=True)))
counter = ab.fit(darts_cell, cells, "convolutions", seed, preset="tuned", epochs=15)
chosen = ab.score_units(counter, score="effect", global_features={"links": "01_01_01"}, hosts=4)
for one in chosen.top(k=2).best(3):
    print(one)

# %% [markdown]
# ## Networks without a space
#
# Networks that you have already may belong to no space at all. Then each is a graph of its operations, as in
# [the experiment on operations](ir-operations), and `ab.data.ir_table` makes a table of them. A graph comes from a
# module, which `ir_from_module` traces; from an ONNX file, given by its path, also one that another framework wrote
# (`autobuild graph FILE.onnx` shows what is in it); or from a `networkx.DiGraph` whose nodes have an attribute
# `operation`. All may stand in one table.
#
# Here are a dozen small convolutional networks, untrained, and what they cost: multiply-adds and parameters, which are
# counted and so are the same on every machine. With networks of your own, accuracies or latencies stand there.

# %%
import torch

from autobuild_book.tracing import fold_batch_norm, ir_from_module

image = torch.zeros(1, 3, 32, 32)
my_networks = zoo.networks()
my_graphs = [ir_from_module(module, image) for module in my_networks.values()]
costs = zoo.costs(my_networks, image)
my_table = ab.data.ir_table(my_graphs, costs, progress=False, names=list(my_networks))
costs.assign(nodes=list(map(len, my_graphs))).astype(int)

# %% [markdown]
# An exporter usually folds batch normalisation into the convolution before it, so a file has fewer nodes than the
# module. `fold_batch_norm` does the same to a graph; do so to all before graphs of files and of modules stand in one
# table. Then it does not matter where a graph comes from:

# %%
differences = []
for module, graph in zip(my_networks.values(), my_graphs, strict=True):
    if (read := zoo.through_a_file(module, image)) is not None:
        folded = fold_batch_norm(graph)
        assert read.names == folded.names and np.array_equal(read.edges, folded.edges)
        differences.append(len(graph) - len(read))
print(f"{len(differences)} files read; nodes that folding removed:", *differences)

# %% [markdown]
# The predictor of such a table is trained with `ab.fit_ir`, and says how important it finds each operation. A dozen
# networks are far too few to learn from: this shows the way, and no result.

# %%
learnt = ab.fit_ir(my_table, "log10(multiply_adds)", seed, preset="tuned", progress=False, epochs=epochs)
learnt.operation_importance().round(3)

# %% [markdown]
# ## Checks
#
# What must hold whatever the data say: built networks belong to the space and are made of kept modules.

# %%
assert all(architecture in my_space and architecture in reduced for architecture in networks)
assert len(set(networks)) == len(networks) == min(built, reduced.size)
assert my_space.parse(str(networks[0])) == networks[0]
assert not trains or runs.accuracy.between(0, 1).all()
assert (nas_bench_201.size, len(codes), len(trained)) == (15_625, 9**5, 26_206)
assert len(darts_cell.links) == 18 and darts_cell.size == 18 * 7**6

# %% [markdown]
# The numbers of the summary come from `metrics.json`.

# %%
numbers = {"head": float(report.srcc["head"]), "rows": len(table), "label": label, "doubts": doubted}
run.finish(**numbers, gains=gains.to_dict("records"))
texts = [experiment.in_words(row.gain, row.low, row.high) for row in gains.itertuples()] if trains else []
glue("own_head", intervals.or_unknown(numbers["head"], ".2f"), display=False)
glue("own_rows", f"{len(table):,}", display=False)
glue("own_trust", trust.in_words(report, doubted), display=False)
for name, text in zip(["norm", "effect"], texts or ["not measured"] * 2, strict=True):
    glue(f"own_gain_{name}", text, display=False)

# %% [markdown]
# ```{admonition} Summary
# From {glue:text}`own_rows` labelled architectures of a space that the library had never seen, the head ranks unseen
# ones with a Spearman correlation of {glue:text}`own_head`. {glue:text}`own_trust` In accuracy on unseen images,
# trained with fresh seeds, the networks built by the norm score compare with the table's best so:
# {glue:text}`own_gain_norm`; those built by the effect score: {glue:text}`own_gain_effect`. Intervals are over the
# seeds. The table's best are already close to what these images allow. Nothing in the library was changed for this
# space.
# ```
#
# ## Exercises
#
# ```{exercise} A number, or a category
# :label: exercise-number-or-category
#
# Make `dropout` categorical. What changes in the predictor's input, and what can it no longer know?
# ```
#
# ```{solution} exercise-number-or-category
# :class: dropdown
#
# A category has a vector for each value; a `Continuous` feature is one number, times one vector of weights. With
# categories the effect need not grow with the value, at the price of more to learn; and a value that no training row
# has, say 0.2, means nothing, where a number lies between its neighbours.
# ```
#
# ```{exercise} Small networks first
# :label: exercise-small-networks-first
#
# Learn `accuracy - log10(parameters) / 20` instead (the table has both labels; give `ab.Target` this text). A tenfold
# number of parameters must now buy five points of accuracy. Which modules come first, by either score?
# ```
#
# ```{solution} exercise-small-networks-first
# :class: dropdown
#
# ~~~python
# for equation in ("accuracy", "accuracy - log10(parameters) / 20"):
#     target = ab.Target(equation)
#     predictor = ab.fit(my_space, train, target, seed, preset="tuned", hops=enough_hops(my_space), epochs=epochs)
#     for score in ("norm", "effect"):
#         modules = ab.score_units(predictor, score=score, hosts=hosts).table
#         print(modules.sort_values("score", ascending=False).groupby("unit").head(1).sort_values("unit"))
# ~~~
#
# The first unit's best module by *effect* score is three layers of width 64 for accuracy alone, and one layer of width
# 32 when parameters cost. The first modules by *norm* score are the same for both equations, though the head ranks both
# equally well: another look at what norms do not say ([experiment 3](subgraph-ranking)).
# ```
#
# ```{exercise} A space of your own
# :label: exercise-space-of-your-own
#
# Write your space as JSON and your table as a CSV, and run this page with `-p data`, `-p space` and `-p label`.
# ```
#
# ```{solution} exercise-space-of-your-own
# :class: dropdown
#
# `my_space.to_json()` shows the form of the one, [the table above](read-the-table) that of the other. The section that
# trains networks is left out unless the space is that of the perceptrons: your own program has to judge what is built.
# An architecture that is not in the space, a label that is missing or a file that is no table ends in one line that
# says where.
# ```
#
# ## What this page was built with

# %%
run.provenance()
