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
# (method)=
# # The method, on one page
#
# AutoBuild {cite:p}`mills2024autobuild` learns from architectures that have already been evaluated, and then
# *builds* new ones instead of searching for them. It needs two things: a predictor whose inner representation can
# be read, and a way to score any piece of an architecture with it. This chapter walks through both on a small
# example. It makes no claim about how well the method works: that is what the other chapters measure.
#
# **What you will learn**
#
# - how an architecture becomes a graph, and how each feature of a layer gets a readable importance;
# - what message passing sees after *m* hops, and why on a path that is exactly a *module*;
# - how a ranking loss makes the *length* of an embedding mean something;
# - two ways to score a module: the paper's norm score and our effect score;
# - how module scores turn a huge search space into a small one.

# %% [markdown]
# ## Set-up
#
# The parameters of this chapter. Every notebook of the book begins with such a cell; the page on
# [rerunning](rerunning) shows how to give other values. `data` is `bundled`, or one source for one family:
# `released:ofa_mbv3`, a `.pkl` of the authors, or your own `.csv` (then `space` names its search space: a family,
# or a JSON description).

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345
data = "bundled"
space = ""
out = "artifacts/standard"  # what is written goes here
architectures = 600  # for the small demonstration predictor to learn from
epochs = 15

# %% [markdown]
# `Run` checks the parameters and keeps account of what this page is made from.

# %%
import numpy as np
import pandas as pd
import torch
from myst_nb import glue

import autobuild_lib as ab
from autobuild_book.chapters.foundations import method, method_figures
from autobuild_book.runs.recording import Run
from autobuild_lib import targets
from autobuild_lib.spaces import read_space
from autobuild_lib.statistics import srcc

run = Run.start("00_method", globals())

# %% [markdown]
# ## An architecture is a graph
#
# The running example is OFA-MobileNetV3 {cite:p}`cai2020once,howard2019searching`. Its architectures have five
# *units* in a row, each with two to four *layers*. A layer is an MBConv block with an expansion ratio `e` and a
# kernel size `k`. That makes a *sequence space*: an architecture is a directed path with one node per layer, and
# an edge from each layer to the next. The library writes an architecture as text, unit by unit:

# %%
mbv3 = ab.spaces.ofa_mbv3()
example = mbv3.parse(
    "resolution224|e4_k5,e6_k3|e3_k3,e4_k7,e6_k5|e6_k5,e4_k3|e6_k7,e3_k5,e4_k7,e6_k3|e6_k5,e6_k7,e3_k3"
)
graph = ab.graphs.layer_graphs(mbv3, [example])
print("layers of each unit:", example.depths)
print("nodes:", len(graph.codes), " edges:", int(graph.steps.count_nonzero()))

# %% [markdown]
# The raw features of a node say where it stands (unit, index in the unit), what it is (layer type, expansion,
# kernel) and what is true of the whole architecture (input resolution). Here are the first unit and the start of
# the second:

# %%
columns = {
    category.name: [category.values[code] for code in codes]
    for category, codes in zip(mbv3.categories, graph.codes.T.tolist(), strict=True)
}
pd.DataFrame(columns).convert_dtypes().rename_axis("node").head(4)

# %% [markdown]
# ## A small predictor to look into
#
# The pages below look inside a *trained* predictor, so we train one, briefly: a few hundred architectures, a few
# epochs. It is good enough to look at and not what [experiment 1](predictor-srcc) evaluates.

# %%
torch.set_num_threads(1)  # for tensors this small, more threads only wait for each other
source = "ofa_mbv3" if data == "bundled" else data
table = run.uses(ab.data.load(source, space=read_space(space) if space else None))
family, label = table.space, "acc" if "acc" in table.labels else table.labels.columns[0]
target = targets.quoted(label)
table = table.complete(target)
train, test = table.split(0.9, seed=12345)
few = train.take(range(min(architectures, len(train))))
brief = {"epochs": epochs, "batch_size": 64, "learning_rate": 3e-3, "schedule": "one_cycle"}
predictor = ab.fit(family, few, target, seed=seed, **brief)
report = ab.evaluate(predictor, test)

# %% [markdown]
# ## Hop 0: the feature-embedding MLP
#
# Before any message is passed, each feature of a node is turned into **one number**. Feature category $c$ has its
# own embedding (or, for a continuous feature, its own linear layer) followed by its own linear layer to a scalar
# $s_c$. The node's embedding is the list of the absolute values,
#
# $$h_0[v] = \left(|s_1|, \; \ldots, \; |s_C|\right) .$$
#
# Since a feature's value determines its coordinate completely, $|s_c|$ can be read as *how important this value
# is*: it is the same number in every node of every architecture. A worked example, for the value that the first
# node of the first architecture takes in the last layer feature: look its vector up, multiply, add.

# %%
architecture = next((a for a in table.architectures if sum(a.depths) > 1), table.architectures[0])
paths = ab.graphs.layer_graphs(family, [architecture])
names = [category.name for category in family.categories]
category = family.categories[names.index(family.layer_features[-1][0])]
value = int(paths.codes[0, names.index(category.name)])
features = predictor.network.features
place = names.index(category.name)
linear, embedding = list(features.scores.values())[place], list(features.embeddings.values())[place]
with torch.no_grad():
    vector = embedding()[0, value].detach()  # [width]
    score = float(vector @ linear.weight[0, :, 0] + linear.bias[0, 0, 0])
name_and_value = f"{category.name} = {category.values[value]}"
print(f"{name_and_value}: vector {vector.numpy().round(3)}, score {score:.4f}")

# %% [markdown]
# And the importance of every value of every layer feature, as this small predictor sees it:

# %%
with torch.no_grad():
    scores = {c.name: features.value_scores(c)[0].abs() for c in family.categories}
shown = family.categories[2 : 2 + len(family.layer_features)]
parts = {c.name: pd.Series(scores[c.name][: len(c.values)], index=c.values) for c in shown}
pd.concat(parts, names=["feature", "value"]).to_frame("|score|").round(3)

# %% [markdown]
# ## Hops 1 to 4: message passing on a path
#
# Each further hop mixes a node with its predecessor. The convolution is GATv2 {cite:p}`brody2022attentive`: with
# $l = x W_l$ and $r = x W_r$, an edge from $u$ to $v$ gets the weight
#
# $$\alpha_{u,v} = \operatorname{softmax}_u \left( a \cdot \operatorname{LeakyReLU}(l_u + r_v) \right)$$
#
# and $v$ receives $\sum_u \alpha_{u,v} \, l_u$. In a path, $u$ is only $v$ itself (a self-loop) and the node before.
# After the convolution come batch normalisation, an activation and, from hop 2 on, a residual connection:
#
# $$h_m = \operatorname{act}(\operatorname{BN}(\operatorname{GATv2}_m(h_{m-1}))) + [m \ge 2] \, h_{m-1} .$$
#
# The library computes this in compiled loops: over the nodes, and for each over the nodes that it reads. They know
# nothing of paths, so any graph will do. Hop 1 of node 1 by hand:

# %%
convolution, norm = predictor.network.convolutions[0], predictor.network.norms[0]
v = min(1, len(paths.codes) - 1)
first = int(paths.degrees[:v].sum())  # of the entries of node v
read = v - paths.steps[first : first + int(paths.degrees[v])]  # itself, and the node before
with torch.no_grad():
    levels = [h[0] for h in predictor.network.node_embeddings(paths)]  # hop -> [nodes, channels]
    left, right = convolution.source(levels[0][None])[0], convolution.target(levels[0][None])[0]  # [nodes, width]
    energies = torch.nn.functional.leaky_relu(left[read] + right[v], 0.2) @ convolution.attention[0, 0]
    weights = torch.softmax(energies, dim=0)
    received = weights @ left[read] + convolution.bias[0, 0]
    standard = (received - norm.mean[0, 0]) / torch.sqrt(norm.variance[0, 0] + 1e-5)
    by_hand = torch.relu(standard * norm.weight[0, 0] + norm.bias[0, 0])
print("weights of itself and of the node before:", weights.numpy().round(3))
print(f"largest difference to the library: {(by_hand - levels[1][v]).abs().max():.1e}")

# %% [markdown]
# ## What a node sees: modules
#
# Messages travel one edge per hop. After $m$ hops a node knows itself and its $m$ predecessors, and nothing else.
# That piece of the path is its *module*. The figure is the paper's first one, drawn by code.

# %% tags=["remove-output"]
glue("figure_modules", method_figures.path_modules(example, [(0, 1), (3, 3)]))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_modules
# ---
# name: figure-modules
# alt: >-
#   Five rows of boxes joined by arrows, one row for each unit of an architecture. In the first row the two
#   layers are shaded as a 1-hop module; in the fourth row all four layers are shaded as a 3-hop module. The
#   last layer of each module has a bold outline.
# ---
#
# An architecture of OFA-MobileNetV3 as a path, one row per unit; a box is a layer with its expansion ratio e and
# kernel size k. Shaded: what message passing sees from the outlined layer after one hop (blue) and after three
# hops (orange). Each of the two modules is the whole content of a unit. An illustration: it rests on no data.
# ```

# %% [markdown]
# This can be tested rather than believed. Change the content of the first unit, keep everything else, and see
# which embeddings change: at hop $m$, only nodes within $m$ steps of the change do. (In a space of your own it is the
# first unit that has a choice and layers behind it; `nothing` where there is none.)

# %%
donors = family.sample(np.random.default_rng(seed), 2000)
with_layers_behind = method.change_with_layers_behind(architecture, donors)
change = with_layers_behind or method.Change(architecture, 0, len(paths.codes) - 1)
pair, half = ab.graphs.layer_graphs(family, [architecture, change.changed]), len(paths.codes)
with torch.no_grad():
    hops = [h[0] for h in predictor.network.node_embeddings(pair)]
behind = slice(change.last + 1, change.last + 6)
moved = [(h[:half] - h[half:]).abs().amax(1)[behind].tolist() for h in hops]
reach = pd.DataFrame(moved).rename(columns=lambda step: f"{step + 1} after")
reach.rename_axis("hop").round(4)

# %% [markdown]
# The zeros have a consequence that the whole method rests on. The $(n - 1)$-hop embedding of the last layer of an
# $n$-layer unit is *the same inside every network* and in isolation. A module can therefore be scored once, on
# its own.
#
# ```{exercise} Units within reach
# :label: exercise-units-within-reach
#
# How many units of an OFA-MobileNetV3 network can a node know something about after four hops, at most? And how many
# hops does a space need whose units have up to six layers, so that every content of a unit can be scored?
# ```
#
# ```{solution} exercise-units-within-reach
# :class: dropdown
#
# Three units. After four hops a node knows five nodes, itself and the four before it. A unit has at least two layers,
# so five nodes in a row are at most one layer of one unit and two layers of each of two others. A content of six
# layers needs five hops, $m = n - 1$.
# ```
#
# ## From nodes to the prediction
#
# At every hop the **graph embedding** is the mean over the nodes, $h_G^m = \sum_v h_m[v] \, / \, |V|$. A small
# multilayer perceptron, the head, maps the last one to the predicted target. The other thing we read from a graph
# embedding is its L1 norm, $\|h_G^m\|_1$. Both, for three architectures:

# %%
some = test.take(range(min(3, len(test))))
predicted, norms = predictor.predict_and_norms(some.architectures)
levels_of = {f"norm, hop {hop}": level for hop, level in enumerate(norms)}
both_readings = pd.DataFrame({label: some.labels[label], "predicted": predicted, **levels_of})
both_readings.rename_axis("architecture").T.round(4)

# %% [markdown]
# ## A loss that gives length a meaning
#
# Nothing makes the norm of an ordinary network's embedding informative. AutoBuild's loss does: next to the
# squared error it asks, at every hop, that the norms *rank* the architectures of the batch as the targets do,
#
# $$L = \operatorname{MSE}(y', y) + \frac{\lambda}{M + 1} \sum_{m=0}^{M} \left( 1 - \rho(\|h_G^m\|_1, y) \right) .$$
#
# Here $y$ are the standardised targets of a batch, $y'$ the predictions, $M$ is the number of hops (4), and
# $\lambda = 1$. $\rho$ is Pearson's correlation of the *soft ranks of the norms* with the *raw targets*: targets are
# not ranked, as in [the public scripts](public-scripts).
#
# Ranks have no gradient, hence the *soft* ranks {cite:p}`blondel2020fast`: the values, divided by a
# regularisation strength, are projected onto the permutahedron, the convex hull of all permutations of
# $(1, \ldots, n)$. A small strength gives almost the hard ranks, a large one pulls all ranks together.

# %% tags=["remove-output"]
numbers = torch.tensor([-2.0, -1.2, -0.4, -0.3, 0.5, 1.1, 3.0], dtype=torch.float64)
soft = {s: ab.losses.soft_rank(numbers, s).numpy() for s in (0.1, 1.0, 5.0)}
parts = [pd.DataFrame({"value": numbers.numpy(), "strength": s, "soft_rank": ranks}) for s, ranks in soft.items()]
glue("figure_soft_ranks", method_figures.soft_ranks(pd.concat(parts)))

# %% [markdown]
# ```{glue:figure} figure_soft_ranks
# ---
# name: figure-soft-ranks
# alt: >-
#   Line chart. The horizontal axis is the value of seven numbers, the vertical axis their soft rank from one to
#   seven. Three lines of straight segments with a marker for each number, one for each of the strengths 0.1, 1
#   and 5.
# ---
#
# Soft ranks of seven numbers at three regularisation strengths. The loss uses strength 1. The two close values
# near −0.3 share almost one rank unless the strength is small; the gradient that pushes them apart is what hard
# ranks lack. An illustration: it rests on no data.
# ```
#
# Training with this loss is meant to make the norms rank architectures that the predictor has never seen. What
# the small predictor of this page does on the test split, with 95 % intervals {cite:p}`bonett2000sample`:

# %%
report[["srcc", "low", "high"]].round(3)

# %% [markdown]
# The head reaches a Spearman correlation (SRCC) of {glue:text}`srcc_head:.3f`, the norm of the last hop, on its
# own, {glue:text}`srcc_last_hop:.3f`, and that of hop 0 {glue:text}`srcc_first_hop:.3f`. The loss *asks* the norms
# to rank; it does not make them, and a norm may even rank the wrong way round. These numbers describe a
# demonstration predictor trained on {glue:text}`trained_on` architectures; the paper's claim about every hop is
# tested in [experiment 1](predictor-srcc).
#
# Could hop 0 do better? Before any message is passed, the norm of a graph embedding is the mean over nodes of
# $\sum_c |s_c|$. So it is linear in the *shares* of layers that have each value, such as "kernel 5" or "third in
# its unit"; how many layers there are, and in which order, it knows only as far as these shares tell. How well such
# a linear function can rank, a regression on the same training rows says:


# %%
def shares(architectures):
    """Return the share of layers with every value of every feature, a row per architecture."""
    graphs = ab.graphs.layer_graphs(family, architectures)
    most = max(len(category.values) for category in family.categories)
    has = torch.nn.functional.one_hot(graphs.codes.long(), most + 1).flatten(1)
    totals = np.add.reduceat(has.numpy(), graphs.starts.numpy())
    return totals / graphs.lengths.numpy()[:, None]


learnt, unseen = shares(few.architectures), shares(test.architectures)
weights = np.linalg.lstsq(learnt, few.labels[label])[0]
reachable = srcc(unseen @ weights, test.labels[label].to_numpy())
print(f"hop 0: {report.srcc['hop 0']:.3f}; regression on shares: {reachable:.3f}")

# %% [markdown]
# The regression reaches {glue:text}`srcc_shares:.3f`. (Its weights may be negative and magnitudes may not, but the
# shares of a feature add up to 1: a constant added to the weights of a feature changes no rank.) So what hop 0 can
# express is not the limit. Where training stays below that, we do not know why.
#
# ```{exercise} Two soft ranks by hand
# :label: exercise-two-soft-ranks
#
# For two numbers the permutahedron is the segment from $(1, 2)$ to $(2, 1)$. What are the soft ranks of 0 and 0.5 at
# strength 1? Up to which strength are two numbers $a < b$ ranked 1 and 2?
# ```
#
# ```{solution} exercise-two-soft-ranks
# :class: dropdown
#
# Divided by the strength $s$, the two numbers are the point $(a/s, \; b/s)$. The nearest point of the segment is
# $(1.5 - d, \; 1.5 + d)$ with $d = \min\left(\frac{b - a}{2s}, \; \frac{1}{2}\right)$. So 0 and 0.5 get the ranks
# 1.25 and 1.75. The ranks are 1 and 2 up to $s = b - a$; above that they come closer, and their sum stays 3.
# ```
#
# ```{exercise} Without the ranking loss
# :label: exercise-no-ranking-loss
#
# Add `rank_loss="off"` to the call of `ab.fit` above and look at the output of `ab.evaluate` again, with a few values
# of `seed`. What happens to the head, and what to the hops?
# ```
#
# ```{solution} exercise-no-ranking-loss
# :class: dropdown
#
# The head loses nothing: it was as good or better with each of four seeds that we tried. The hops from 1 on rank much
# worse, for nothing asks their norms to follow the target any more. Hop 0 may rank the wrong way round with either
# loss: its norm knows the shares of values and nothing else.
# ```
#
# ## From norms to module scores
#
# A norm can now be read off for a *module* as well: run the isolated path of $n$ layers, and take the $(n-1)$-hop
# embedding of its last layer. Norms at different hops live on different scales, and so do units of different
# depth. Two standardisations bring them together. With the mean $\mu_m$ and standard deviation $\sigma_m$ of
# hop-$m$ norms over all training nodes, and the mean $\mu_{u,n}$ and standard deviation $\sigma_{u,n}$ of the
# *target* over the training architectures whose unit $u$ has $n$ layers,
#
# $$\operatorname{score} = \frac{\|h_m\|_1 - \mu_m}{\sigma_m} \, \sigma_{u,n} + \mu_{u,n}, \qquad m = n - 1 .$$
#
# Every content of a unit gets a score in units of the target, whatever its depth. It orders modules and predicts
# nothing: an accuracy score of 1.1 is possible. This is the **norm score**, the paper's.
# [Experiment 3](subgraph-ranking) computes and tests it.
#
# ```{exercise} What the standardisations can change
# :label: exercise-order-within-a-depth
#
# Two contents of a unit have the same number of layers. Can the two standardisations change which of them comes
# first? And which score has a content whose norm is exactly the mean of its hop?
# ```
#
# ```{solution} exercise-order-within-a-depth
# :class: dropdown
#
# They cannot: both contents have the same hop, unit and depth, so the same four numbers, and the score grows with the
# norm (where $\sigma_{u,n} = 0$, all contents of that depth have the same score). What they change is the order of
# contents of *different* depth, whose norms come from different hops. A norm that is the mean of its hop gives
# $\mu_{u,n}$: the mean target of the training architectures whose unit has that depth.
# ```
#
# (effect-score)=
# ## A second score: the effect
#
# This book adds one of its own, read from the same predictor $f$. Draw random architectures $a_1, \ldots, a_H$,
# the *hosts*, and replace unit $u$ of each by the content $x$. The **effect score** is what this does to the mean
# prediction,
#
# $$\operatorname{effect}(x) = \frac{1}{H} \sum_{j=1}^{H} f(a_j[u := x]) \; - \; \frac{1}{H} \sum_{j=1}^{H} f(a_j) ,$$
#
# a difference in units of the target. It needs no ranking loss and no norms, and has no limit on the depth of a
# unit; but it depends on the hosts, and believes the head. `ab.score_units(predictor, score="effect")` computes it
# for all contents, sharing what hosts have in common. By hand, for two contents of one unit with the same number of
# layers, those of above:

# %%
hosts, top = donors[:16], architecture.global_features
plain = [family.architecture(host.units(), **top) for host in hosts]
effects = {}
for content in (a.units()[change.unit] for a in (architecture, change.changed)):
    placed = [method.replace_unit(host, change.unit, content) for host in plain]
    differences = predictor.predict(placed) - predictor.predict(plain)
    effects[", ".join(map(str, content["layers"]))] = differences.mean()
pd.Series(effects, name=f"effect on {label}").to_frame().rename_axis("content").round(4)

# %% [markdown]
# So the predictor says that these two contents differ by {glue:text}`effect_difference:.4f` in units of the target,
# on average over {glue:text}`effect_hosts` hosts. Whether either score agrees with what modules really do is
# measured in [experiment 3](subgraph-ranking).
#
# (graphs-that-are-no-paths)=
# ## When units are not in a row
#
# Nothing above needs a path. In [other spaces](spaces-that-are-no-paths) a unit may read from several others, or from
# none, as in a cell with branches or a network with skip connections. The softmax of a hop then runs over the node
# itself and *all* its predecessors, and a message still travels one edge a hop. So the module that a node sees after
# $m$ hops is the *rooted subgraph of its ancestors* up to $m$ edges back. In a row of units this is the stretch of
# path from before. Here is a space of four units, in which unit 3 reads from units 1 and 2, and these from unit 0:

# %% tags=["remove-output"]
fork = ab.SequenceSpace("fork", [ab.Unit(1, 3)] * 4, {"op": ["conv", "pool"]}, links=[[], [0], [0], [1, 2]])
forked = fork.parse("conv,pool,conv|pool|conv,conv|conv,pool")
glue("figure_graph_modules", method_figures.graph_modules(forked, rows=[0.5, 0, 1, 0.5], hops=(1, 3)))

# %% [markdown]
# ```{glue:figure} figure_graph_modules
# ---
# name: figure-graph-modules
# alt: >-
#   Eight boxes joined by arrows from left to right. A row of three boxes, unit 0, forks into one box, unit 1, above
#   and two boxes, unit 2, below; both branches join in a row of two boxes, unit 3. Its last box has a bold outline.
#   The two boxes of unit 3 are shaded as a 1-hop module; the box of unit 1, both of unit 2 and the last of unit 0 are
#   shaded in another colour as what a 3-hop module adds. Each box says at which hop it is seen.
# ---
#
# An architecture whose units are not in a row; a box is a layer, and says after how many hops of message passing the
# outlined layer sees it. Shaded: the 1-hop module of that layer (blue), which is the content of its unit, and what
# belongs to its 3-hop module as well (orange), a subgraph of three units. An illustration: it rests on no data.
# ```
#
# Inside a unit, layers follow each other as before. What the *norm score* needs is a number of hops $m$ after which
# the last layer of a content has seen all of it and nothing else: the number of edges on the content's longest path.
# A content of $n$ layers is a path, so this is $m = n - 1$ again, and the standardisations above do not change. The
# *effect score* keeps its meaning without a change: a module is put in its place in random hosts, and the predictor is
# asked. Where an architecture chooses its links, a content has the same norm score under all of them, for it looks at
# nothing outside; the hosts of an effect score have the links that the built networks are to have.
#
# ## From scores to a reduced space
#
# Rank the contents of every unit, keep the best $K$ of each, and combine them freely: that is the **reduced
# space**. Its size is $K^U$ for $U$ units, whatever the size of the space it came from.

# %%
groups = family.scoring_groups
in_group = [[codec.size for codec in group.codecs] for group in groups]
ours = [int(np.prod(contents)) for contents in in_group]
unit_contents = sum(ours)
sizes = {"whole space": family.size, "unit contents to score": unit_contents}
sizes |= {f"reduced space, K = {k}": int(np.prod(np.minimum(k, ours))) for k in (3, 25)}
pd.DataFrame({"architectures or contents": [f"{n:,}" for n in sizes.values()]}, index=list(sizes))

# %% [markdown]
# Scoring {glue:text}`unit_contents:,d` unit contents takes seconds. So this is the whole method: a few thousand
# evaluated architectures (or a few dozen) become a predictor, the predictor becomes a score for each module, and
# the scores become a space small enough to be listed.
#
# ## Checks
#
# What this page says about the code, as assertions:

# %%
for hop, row in enumerate(reach.to_numpy()):
    assert (row[hop:] < 1e-5).all(), f"hop {hop} sees further than {hop} steps"
    assert hop == 0 or not with_layers_behind or data != "bundled" or row[:hop].max() > 1e-5, f"hop {hop} sees nothing"
assert torch.allclose(by_hand, levels[1][v], atol=1e-5)
assert abs(abs(score) - scores[category.name][value]) < 1e-5
assert (levels[0] >= 0).all()
assert all(abs(ranks.sum() - 28) < 1e-9 for ranks in soft.values())
assert unit_contents == 36_855 or data != "bundled"
assert set(shares([architecture]).sum(1).round(6)) == {len(family.categories)}
assert method.hops_to(forked, 7) == {7: 0, 6: 1, 3: 2, 5: 2, 2: 3, 4: 3, 1: 4, 0: 5}

# %% [markdown]
# ## Summary
#
# - An architecture of a sequence space is a path, or with links a graph; hop 0 gives every feature value one readable
#   number.
# - After $m$ hops a node knows its module and nothing else, so modules can be scored in isolation.
# - The ranking loss asks embedding norms to follow the target at every hop; how far they do has to be measured.
# - The norm score reads an isolated module's embedding, the effect score a prediction with and without the module.
# - Scores of all unit contents, standardised twice, turn an astronomically large space into one of $K^U$
#   architectures.

# %% [markdown]
# ## What this page is built with
#
# The metrics are written beside the executed notebook, and the numbers in the text above are read from them.

# %% tags=["hide-input"]
record = run.finish(
    srcc_head=float(report.srcc["head"]),
    srcc_last_hop=float(report.srcc.iloc[-2]),
    srcc_first_hop=float(report.srcc.iloc[0]),
    srcc_shares=reachable,
    effect_difference=float(np.ptp(list(effects.values()))),
    effect_hosts=len(hosts),
    trained_on=len(few),
    unit_contents=unit_contents,
)
for name, number in record["metrics"].items():
    glue(name, number, display=False)
run.provenance()
