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
# (predictor-srcc)=
# # Experiment 1: do embedding norms rank architectures?
#
# **Claim C1.** *The norms of the graph embeddings rank architectures at every hop, better with more hops, and the
# prediction head ranks best.* In the paper {cite:p}`mills2024autobuild` this is the table of rank correlations in
# Section 4, for two families of networks and for accuracy and three latencies. Everything else in the method rests
# on it: if the length of an embedding did not follow the target, module scores would mean nothing.
#
# **What you will learn**
#
# - how well each hop ranks networks that the predictor has never seen, and how sure we can be of that;
# - how far any model could go on these data, and how far a very simple one goes;
# - how many evaluated networks are needed;
# - what changes when the training recipe is tuned.

# %% [markdown]
# ## Set-up
#
# `data` is `bundled`, or one source for one family: `released:ofa_mbv3`, a `.pkl` of the authors, or your own `.csv`
# (then `space` names its search space: a family, or a JSON description). A target is a label or an equation.

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345  # the first seed; further ones follow it
data = "bundled"
space = ""
targets = ["acc", "latency_gpu", "latency_cpu", "latency_npu"]
paper_seeds = 1  # predictors per task with the paper preset
paper_epochs = 200
tuned_seeds = 3  # predictors per task with the tuned preset
tuned_epochs = 40
sizes = [50, 100, 200, 400, 800, 1500, 2700]  # training architectures of the learning curve
curve_seeds = 2
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
import numpy as np
import pandas as pd
import torch
from myst_nb import glue

from autobuild_book import intervals
from autobuild_book.chapters.ranking import figures, rank_correlations
from autobuild_book.chapters.shared import hop_verdict as judging
from autobuild_book.chapters.shared.ranks import mean_ranks
from autobuild_book.chapters.shared.splits import load_splits
from autobuild_book.figures import ranks as rank_figures
from autobuild_book.runs.recording import Run
from autobuild_lib import Target, graphs, spaces

run = Run.start("01_predictor_srcc", globals())

# %% [markdown]
# ## Data
#
# Each family is split once, 90 % to train and 10 % to test, at random with a fixed seed. The test rows are used for
# nothing but the numbers on this page. [The data chapter](data) tells where the labels come from.

# %%
equations = [targets] if isinstance(targets, str) else list(targets)
splits = load_splits(data, equations, spaces.read_space(space) if space else None)
for split in splits:
    run.uses(split.train)
    print(f"{split.family}: {len(split.train):,} to train, {len(split.test):,} to test, {', '.join(split.targets)}")

# %% [markdown]
# ## Method
#
# A predictor learns one target on one family. Its loss pulls two things at once: the head's prediction towards the
# target, and the ranks of the embedding norms, at every hop, towards the ranks of the target ([the method](method)). We
# train two presets. `paper` is the published recipe: AdamW at a constant rate of 1e-4, batches of 128, 200 epochs (on
# this page {glue:text}`srcc_paper_epochs`). `tuned` is ours, chosen on validation rows taken out of the training split:
# graph convolutions with sum pooling, a one-cycle rate with weight decay, smaller batches and a fraction of the epochs.
# Mind that the bundled labels come from networks with graph convolutions and sum pooling too, which may favour it. The
# targets of one family train side by side, as they would alone.

# %%
seeds = {"paper": range(seed, seed + paper_seeds), "tuned": range(seed, seed + tuned_seeds)}
epochs = {"paper": {"epochs": paper_epochs}, "tuned": {"epochs": tuned_epochs}}
ranks = run.table(
    "ranks", lambda: rank_correlations.compare_presets(splits, seeds, run.folder / "predictors", epochs)
)
summary = run.table("summary", lambda: mean_ranks(ranks))

# %% [markdown]
# Three lines to compare with. The **noise ceiling** is the rank correlation of noise-free with noisy labels on the
# test rows: no model can be expected to rank better. The **additive ridge** is linear regression on one-hot choices;
# it knows nothing of order or neighbourhood. And the **published** number is what the authors' own checkpoint states
# about itself on real measurements: other data, so it is for orientation only.

# %%
references = run.table("references", lambda: rank_correlations.reference_lines(splits))
references.round(4).set_index(["family", "target"])

# %% [markdown]
# ## The idea: a length is a ranking
#
# Before the tables, the claim itself, on one predictor and in a few lines (paper, Section 3.2 and Equation 4). Message
# passing gives every node an embedding at every hop $m$. The embedding of a network is the mean over its $|V|$ nodes,
# $h_G^m = \sum_v h_m[v] \, / \, |V|$, and its length is the L1 norm $\|h_G^m\|_1$: one number for each network and
# hop. Here they are for the test networks of the first task, by the first predictor of the paper's preset. The norms
# of the library are the same.

# %%
split = splits[0]
predictor = rank_correlations.train_split(split, "paper", seed, run.folder / "predictors", epochs["paper"])[0]
paths = graphs.layer_graphs(split.test.space, split.test.architectures)
norms = predictor.norms(split.test.architectures)  # [hops + 1, networks]
with torch.no_grad():
    for hop, nodes in enumerate(predictor.network.node_embeddings(paths)):
        of_network = nodes[0].split(paths.lengths.tolist())  # for each network, the embeddings of its nodes
        embeddings = torch.stack([h.mean(0) for h in of_network])
        length = embeddings.abs().sum(1)
        assert np.allclose(length, norms[hop], rtol=1e-4, atol=1e-5)
print(f"{len(embeddings)} networks, each an embedding of {embeddings.shape[1]} numbers and one length")

# %% [markdown]
# Now forget the head. Order the networks by length, order them by the target, and correlate the places: Spearman's rank
# correlation (SRCC). That is the number of every point of the figure below, and these five are in `ranks.csv`.

# %%
places = pd.Series(split.test.evaluate(Target(predictor.target))).rank()
by_hand = [pd.Series(lengths).rank().corr(places) for lengths in norms]
of_first = {"family": split.family, "target": predictor.target, "preset": "paper", "seed": seed}
in_table = ranks[(ranks[list(of_first)] == pd.Series(of_first)).all(axis=1)].set_index("level").srcc
assert np.allclose(by_hand, in_table.drop("head"), equal_nan=True)
print(predictor.target, *(f"hop {hop}: {value:.4f}" for hop, value in enumerate(by_hand)), sep="; ")

# %% [markdown]
# ```{exercise} A rank correlation by hand
# :label: exercise-spearman
#
# Four networks have embeddings of length 3.1, 2.0, 4.4 and 2.5, and targets of 76, 74, 77 and 78 %. What is
# Spearman's rank correlation? What is it when all lengths are doubled, and when the length is subtracted from 10?
# ```
#
# ```{solution} exercise-spearman
# :class: dropdown
#
# By length the places are 3, 1, 4, 2, by target 2, 1, 3, 4. The differences are 1, 0, 1, $-2$, so
#
# $$\rho = 1 - \frac{6 \sum d^2}{n (n^2 - 1)} = 1 - \frac{6 \cdot 6}{4 \cdot 15} = 0.4 .$$
#
# Doubling changes no place: 0.4. Subtracting from 10 turns the places round: $-0.4$.
# ```

# %% [markdown]
# ## Result: how well each hop ranks
#
# One panel per task, from hop 0 to the head.

# %% tags=["remove-output"]
glue("figure_srcc_by_hop", rank_figures.srcc_by_hop(summary, references))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_srcc_by_hop
# ---
# name: figure-srcc-by-hop
# alt: >-
#   One panel per family and target. The horizontal axis has the hops 0 to 4 and the head, the vertical axis is the
#   rank correlation on test architectures. Points with intervals, in one colour and shape for each preset; a dashed
#   line marks the noise ceiling, a dotted line the additive ridge.
# ---
#
# Spearman correlation (SRCC) of embedding norms at hops 0 to 4, and of the head's predictions, with the target, on
# test architectures; the axis is stretched towards 1 (Fisher's transformation). Points are means over training seeds;
# bars are 95 % intervals, over seeds where there are at least two and otherwise over test rows, and may leave the
# panel. Dashed: the noise ceiling. Dotted: an additive ridge regression. With the bundled data the labels are
# surrogate labels with calibrated noise, not measurements.
# ```

# %% [markdown]
# The same in numbers for the head, with the ends of its interval; `table.csv` beside the notebook has the last hop
# and all digits.

# %%
table = rank_correlations.compare_table(summary, references)
run.table("table", lambda: table)
rank_correlations.heads_by_preset(table)

# %% [markdown]
# ```{exercise} At the ceiling
# :label: exercise-ceiling
#
# A model has learnt the noise-free label of every network. Where does it stand in the figure? Can a model stand above
# the dashed line?
# ```
#
# ```{solution} exercise-ceiling
# :class: dropdown
#
# Exactly on the dashed line, which is the rank correlation of the noise-free labels with the noisy ones on the same
# test rows. A model can stand above it by luck, when its errors happen to agree with the noise of these rows; it
# cannot be expected to, and the checks of this page allow no more than 0.02.
# ```

# %% [markdown]
# ## Result: how many evaluated networks are needed?
#
# The predictor and the ridge again, on 50, 100, ... training architectures drawn at random, by each seed its own. All
# of them are the same for every seed, so that there only the predictor's start differs.

# %%
curve = run.table(
    "curve",
    lambda: rank_correlations.learning_curve(
        splits, sizes, range(seed, seed + curve_seeds), run.folder / "predictors", epochs["tuned"]
    ),
)

# %% [markdown]
# Drawn on a logarithmic axis:

# %% tags=["remove-output"]
glue("figure_learning_curves", figures.learning_curves(curve, references))

# %% [markdown]
# ```{glue:figure} figure_learning_curves
# ---
# name: figure-learning-curves
# alt: >-
#   One panel per family and target. The horizontal axis is the number of training architectures, logarithmic, the
#   vertical axis the rank correlation on test architectures. One line with a band for the AutoBuild head and one for
#   the additive ridge; a dashed line marks the noise ceiling.
# ---
#
# Spearman correlation on test architectures against the number of training architectures: the head of the tuned
# preset and an additive ridge regression. Lines are means over seeds, bands reach from the lowest to the highest
# seed. Dashed: the noise ceiling. With the bundled data the labels are surrogate labels with calibrated noise.
# ```

# %% [markdown]
# ```{exercise} Where the graph network leads
# :label: exercise-overtaking
#
# With how many training architectures does the graph network rank better than the additive ridge? What does it say
# about labels when it does, and when it does not?
# ```
#
# ```{solution} exercise-overtaking
# :class: dropdown
#
# In so many tasks the head leads, in means over seeds: {glue:text}`srcc_leads`. Where it leads, the labels hold
# something that no sum over layers can express. Where it does not, there is nothing of the kind, or there are too few
# labels to learn it from: the ridge has only one coefficient for each choice.
# ```

# %% [markdown]
# ## Checks
#
# What must hold if the pipeline is sound, whatever the data say about the claim.

# %%
levels = ranks.groupby(["family", "target", "preset", "seed"]).size()
assert (levels == levels.iloc[0]).all(), "every predictor reports every level"
assert ranks.srcc.dropna().between(-1, 1).all() and (data != "bundled" or ranks.srcc.notna().all())
heads = summary[summary.level == "head"].merge(references, on=["family", "target"])
assert not (heads.srcc > heads.ceiling + 0.02).any(), "nothing ranks above the noise ceiling"

# %% [markdown]
# ## Verdict on claim C1
#
# The rule was fixed before the runs. In at least 7 of 8 tasks, the norms of the last hop must reach 0.9 times the
# ceiling; over tasks, each hop must beat the one before it, and the head the last hop (paired one-sided t-tests with
# Holm's correction, 5 %). *Supported* means all of it, *partly* at least half. It is judged on the paper preset. With
# fewer than four tasks it is *undecided*: five tests share the 5 %, so that over three tasks a mean gain would have to
# be four times its standard deviation over tasks, and over two 22 times. Over four tasks, the paper's labels for one
# family, 2.3 times are enough. (This limit was added later; it does not concern the eight tasks of the bundled data.)

# %%
verdict = judging.judge(ranks, references)
checks = run.table("checks", lambda: verdict.checks)
print(verdict)
checks

# %% [markdown]
# ```{exercise} Five tests at 5 %
# :label: exercise-five-tests
#
# How many tests does the rule make of the hops and the head? Below which value must the smallest p-value be after
# Holm's correction, and which values must the others stay below when all are to hold?
# ```
#
# ```{solution} exercise-five-tests
# :class: dropdown
#
# Five: each of the hops 1 to 4 against the one before, and the head against hop 4. In the order of their size,
# p-values are multiplied by 5, 4, 3, 2 and 1. So they must stay below 0.01, 0.0125, 0.0167, 0.025 and 0.05.
# ```

# %% [markdown]
# The numbers that the summary below quotes are written to `metrics.json` and glued into the text, never typed.

# %%
tuned = heads[heads.preset == "tuned"]
gap = (tuned.ceiling - tuned.srcc).max() if tuned.ceiling.notna().any() else float("nan")
against_ridge = int((tuned.srcc > tuned.ridge).sum())
numbers = {"verdict": verdict.word, "largest_gap": intervals.or_unknown(gap, ".4f"),
           "above_ridge": f"{against_ridge} of {len(tuned)}", "paper_epochs": paper_epochs,
           "leads": rank_correlations.leads_by_size(curve)}  # fmt: skip
for name, value in numbers.items():
    glue(f"srcc_{name}", value, display=False)
record = run.finish(**numbers, checks=checks.to_dict("records"), table=table.to_dict("records"))

# %% [markdown]
# ```{admonition} Summary
# The verdict on claim C1 is *{glue:text}`srcc_verdict`* on these data. With the tuned preset, the head stays within
# {glue:text}`srcc_largest_gap` of the noise ceiling in every task and ranks above the additive ridge in
# {glue:text}`srcc_above_ridge` tasks. The bundled labels come from surrogates: they are evidence about the pipeline,
# not about ImageNet.
# ```
#
# ## Projects
#
# 1. Run this notebook with `-p targets "acc * 100 / latency_gpu"`. Which hop ranks this ratio best?
# 2. Set the ranking loss off (`rank_loss="off"` in `ab.fit`). What is left of the norms' ranking, and of the head's?
#
# ## What this page was built with

# %%
run.provenance()
