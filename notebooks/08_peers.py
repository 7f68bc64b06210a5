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
# (peers)=
# # AutoBuild among its peers
#
# Do you need a graph network at all? The paper {cite:p}`mills2024autobuild` compares search methods, not predictors.
# Here AutoBuild's predictor stands beside its strongest interpretable rival, graph features in a random forest (GRAF,
# {cite:p}`kadlecova2024surprisingly`), beside zero-cost proxies, and beside models that need ten lines of code: on the
# same architectures, the same splits and the same number of labels.
#
# **What you will learn**
#
# - which model ranks networks best with 25, 100 or 2,700 labels, and which one finds the best networks;
# - where AutoBuild loses;
# - what each model costs;
# - whether models that can be read tell the same story;
# - whether it helps to combine them.

# %% [markdown]
# ## Set-up
#
# With `data = "bundled"` the curves come from a table that was measured once (`autobuild peers measure`), and this page
# measures `live_models` on `live_sizes` again. With your own data, the live run is all there is; `lower_is_better`
# names the targets of which less is better.

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345
data = "bundled"
space = ""
targets = ["acc", "latency_gpu", "latency_cpu", "latency_npu"]
lower_is_better = ["latency_gpu", "latency_cpu", "latency_npu"]
live_models = ["additive ridge", "Gaussian process", "forest: GRAF", "AutoBuild, tuned preset"]
live_sizes = [50, 200]
live_seeds = 1
cost_rows = 1000  # training rows of the comparison of costs
cost_models = ["additive ridge", "nearest neighbours", "Gaussian process", "forest: one-hot", "forest: GRAF",
               "boosting: one-hot + GRAF", "AutoBuild, few labels", "AutoBuild, tuned preset"]
story_rows = 2700  # training rows of the models that are interpreted
story_targets = ["acc", "latency_gpu"]
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
from IPython.display import Markdown
from myst_nb import glue

from autobuild_book import intervals
from autobuild_book.chapters.peers import contests, figures, measuring, results, seconds
from autobuild_book.chapters.shared.models.graf import graph_features
from autobuild_book.chapters.shared.models.sequence_graf import sequence_features
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.figures import style
from autobuild_book.figures.costs import cost_and_quality
from autobuild_book.runs.recording import Run
from autobuild_lib import Target, graphs, spaces
from autobuild_lib.spaces import read_space

run = Run.start("08_peers", globals())  # fmt: skip

# %% [markdown]
# ## Data
#
# Both once-for-all families, with the test rows of the other chapters, for accuracy and three latencies; those labels
# are a surrogate's. The two small tables whose labels were measured by this project are there too: panoptic
# segmentation and diffusion. They keep a quarter of their rows for testing, drawn anew by each seed. Where zero-cost
# proxies were measured, 500 networks of each family take part once more: 100 are the fixed test rows, and at most 400
# there are to learn from.

# %%
own_space = read_space(space) if space else None
chosen = contests.choose(data, targets, lower_is_better, own_space)
fields = {contest.name: contests.field_of(contest, space=own_space) for contest in chosen}
for contest in chosen:
    field = fields[contest.name]
    run.uses(field.train)
    sizes = f"{len(field.train):,} to learn from, {len(field.test):,} to test"
    print(f"{contest.name}: {sizes}, {', '.join(contest.targets)}")

# %% [markdown]
# ## Method: graph features
#
# GRAF counts each operation, and for sets of operations asks how long the shortest and how full the longest path from
# input to output is when only nodes of the set may be used, and how many edges lead to or from the set. The sets are
# all sets of at most six operations; of more, single ones and all but one. For the op-level graph of one network:

# %%
network = next(iter(spaces.ofa_mbv3()))
features = graph_features([graphs.ir_graph(network)]).T[0]
features[["count[Conv]", "count[Add]", "shortest[not Add]", "longest[not Add]", "shortest[not Conv]"]]

# %% [markdown]
# The value -1 says that no path is left. A sequence architecture is a path, so that most of this coincides: what
# remains is counts, ends, shares and depths, for the whole network and for each unit. That is the form in which the
# models below see GRAF.

# %%
first = fields[chosen[0].name].train
columns = sequence_features(first.space, first.architectures[:3])
print(f"{columns.shape[1]} features, {int((columns.nunique() > 1).sum())} of them differ between three architectures")
columns.iloc[:, :6].round(2)

# %% [markdown]
# ## Method: models
#
# Random forests and gradient boosting learn from one-hot choices, from GRAF, from proxies, and from their unions. Ridge
# regression, nearest neighbours and a Gaussian process, whose kernel counts how many choices differ, learn from one-hot
# choices. AutoBuild comes in three recipes: the paper's, the tuned one, and one for few labels (batches of 8, a fixed
# number of steps). Each model has **one** configuration for all sizes, targets and families, the best of nine
# candidates on validation rows of the training split. They learnt from all other training rows (the tuned preset), from
# 100 (the recipe for few labels), 50 and 200 (models that use proxies), or 100, 400 and 2,000 (all others). The ridge
# chooses its penalty by leave-one-out, and the paper preset is as published. A few of the test rows beside proxies were
# among the validation rows of the tuned preset.
#
# Three numbers judge a ranking of the test rows. **SRCC** is its rank correlation with the labels. **Recall** is the
# share of the best tenth that is in the predicted best tenth. **Regret** is what is lost by evaluating only the ten
# networks with the best predictions and taking the best of these, in standard deviations of the label.

# %%
LARGE, SMALL, PROXIED = (contests.named(chosen, kind) for kind in (contests.LARGE, contests.SMALL, contests.PROXIED))
largest = [contest for contest in chosen if contest.name in LARGE]
jobs = measuring.plan(largest, live_sizes, range(live_seeds), live_models, own_space)
print(measuring.describe(jobs))
live = run.table("live", lambda: measuring.run_all(jobs))

# %% [markdown]
# All that a contest is, in code: the rows of the table are split once for everybody; a model learns from a subset that
# the seed and the size alone decide, and predicts the test rows. The first of the runs above, again:

# %%
import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.registry import find_model

row = live[live.model == live_models[0]].iloc[0]
contest = next(contest for contest in chosen if contest.name == row.contest)
field = contests.field_of(contest, row.seed, own_space)
few = np.sort(np.random.default_rng([row.seed, row["size"]]).permutation(len(field.train))[: row["size"]])
models = find_model(row.model).fit_many(field.train.take(few), contest.targets, row.seed, field.proxies)
predicted = models[contest.targets.index(row.target)].predict(field.test.architectures)

# %% [markdown]
# Then the order of the test rows is judged: by SRCC, by how much of the true best tenth is in the predicted one, and by
# what the best of the ten that come first lacks. These are the numbers of that run in the table.

# %%
sign = -1 if row.target in contest.lower else 1  # from here on, more is better
predicted, truth = sign * predicted, sign * Target(row.target).evaluate(field.test.labels)
srcc = pd.Series(predicted).rank().corr(pd.Series(truth).rank())
best_first, tenth = np.argsort(-predicted, kind="stable"), max(1, round(len(truth) / 10))
recall = np.isin(best_first[:tenth], np.argsort(-truth, kind="stable")[:tenth]).mean()
regret = (truth.max() - truth[best_first[:10]].max()) / truth.std()
assert np.allclose([srcc, recall, regret], row[["srcc", "recall", "regret"]].tolist(), atol=1e-6, equal_nan=True)
print(f"{row.model} on {row['size']} rows, {row.target}: SRCC {srcc:.4f}, recall {recall:.2f}, regret {regret:.2f}")

# %% [markdown]
# The committed table is what the curves are drawn from. Rows that were measured both times differ by what another
# processor rounds differently, which training amplifies; `spread` is the standard deviation over committed seeds, each
# with training rows of its own, and `spreads` the difference in units of it. A model of the registry that nobody has
# measured yet is named here, and takes no part in what follows.

# %%
from autobuild_book.chapters.shared import measured_again

committed = measuring.bundled_rows(chosen) if data == "bundled" else live
rows = committed if len(committed) else live  # targets of your own were not measured before
checked = run.table("spot_check", lambda: measured_again.spot_check(live, rows, results.KEY))
print(f"{len(rows):,} rows (a model, a target, a size, a training subset).", measured_again.in_words(checked))
print("Not measured yet:", "; ".join(results.not_measured(rows)) or "none")
checked.head(5).round(4)

# %% [markdown]
# Two lines to compare with: the noise ceiling (labels before noise as predictions) and a random order.

# %%
references = run.table("references", lambda: contests.references(chosen, own_space))
references.groupby(["contest", "target", "model"], sort=False)[["srcc", "recall", "regret"]].mean().round(3)

# %% [markdown]
# ## Result: learning curves
#
# At most seven models; all others are in `summary.csv` beside this notebook.

# %% tags=["remove-output"]
summary = run.table("summary", lambda: results.mean_measures(rows))
shown = results.shown(summary)
large = results.of_contests(summary, LARGE)
glue("figure_peer_curves", figures.peer_curves(large, references[references.model == contests.CEILING], shown))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_peer_curves
# ---
# name: figure-peer-curves
# alt: >-
#   One panel per family and target, with the number of training architectures on a logarithmic axis and rank
#   correlation upwards; one line with error bars for each of at most seven models, and a dashed noise ceiling.
# ---
#
# Spearman correlation on fixed test architectures against the number of training architectures. Points are means over
# training subsets, bars 95 % intervals over these; all rows are one subset, which has no interval. Dashed: the noise
# ceiling. Very low values may leave a panel. With the bundled data, labels are a surrogate's.
# ```

# %% [markdown]
# What the rankings are for, at one glance: the means over tasks of the large tables.

# %%
results.by_size(large, "srcc").round(3)

# %% [markdown]
# The same for the regret of the best of ten:

# %%
results.by_size(large, "regret").round(2)

# %% [markdown]
# ## Result: labels measured here
#
# The small tables, whose labels are measurements, with all the noise that small trainings have. What is missing here
# has not been measured.

# %% tags=["remove-output"]
small = results.of_contests(summary, SMALL)
figure = figures.peer_curves(small, references[:0], shown) if len(small) else style.note("no small tables here")
glue("figure_peer_curves_small", figure)

# %% [markdown]
# ```{glue:figure} figure_peer_curves_small
# ---
# name: figure-peer-curves-small
# alt: >-
#   Rank correlation against the number of training architectures for the small tables of this project, one panel per
#   table, one line per model; or a note that there are none.
# ---
#
# As in the figure above, for the tables measured by this project (mini panoptic quality, mini diffusion distance);
# each seed draws its own test rows, so that bars include their differences.
# ```

# %% [markdown]
# ## Result: zero-cost proxies
#
# Zero-cost proxies need no labels at all. How each ranks the 500 networks of a family by itself (SRCC with the labels,
# a surrogate's; of a latency, a proxy that counts work should have a positive one):

# %%
from autobuild_book.chapters.peers import proxy_ranks

with_proxies = [contest for contest in chosen if contest.kind == contests.PROXIED]
proxies_alone = run.table("proxies_alone", lambda: proxy_ranks.ranks_by_proxy(with_proxies))
if proxies_alone.empty:
    print("No proxies have been measured for these data.")
proxies_alone.pivot_table("srcc", ["family", "proxy"], "against", sort=False).round(2)

# %% [markdown]
# They were measured on networks with random weights, one batch of 8 random images and 96 × 96 pixels, to save time. On
# 30 networks of each family this was repeated with 224 pixels. A proxy whose ranking does not survive that says
# little about the network; the interval is over networks.

# %%
survival = run.table("proxies_resolution", lambda: proxy_ranks.ranks_at_full_resolution(with_proxies))
survival.set_index(["family", "proxy"])[["networks", "srcc", "low", "high"]].round(3)

# %% [markdown]
# With proxies as features, at all sizes that there are (SRCC, means over tasks):

# %%
proxied = results.of_contests(summary, PROXIED)
results.by_size(proxied, "srcc").round(3)

# %% [markdown]
# ## Result: where AutoBuild loses
#
# The best of AutoBuild's recipes against the best of the other models, on the same training subsets. One side *wins*
# where the whole interval is more than 0.01 away from zero, the margin of the decision box below; less hardly matters,
# however sure it is. All rows of a large table are one subset: there is no interval, and nobody wins. The intervals are
# not corrected for their number.

# %% tags=["remove-output"]
leads = run.table("leads", lambda: results.against_autobuild(rows))
drawn = results.of_contests(leads, [*LARGE, *SMALL])
figure = figures.lead_of_autobuild(drawn) if len(drawn) else style.note("AutoBuild was not measured here")
glue("figure_lead", figure)

# %% [markdown]
# ```{glue:figure} figure_lead
# ---
# name: figure-lead
# alt: >-
#   A row per task with one point per training size: the lead of AutoBuild over the best other model in rank
#   correlation, with intervals, on both sides of a vertical line at zero.
# ---
#
# SRCC of AutoBuild's best recipe minus that of the best other model; left of the line AutoBuild loses. Bars: 95 %
# intervals over training subsets (none where all rows are one). Both are chosen on these same rows, which favours the
# other side, as it has more models to choose from. With the bundled data, labels of the two families are a surrogate's,
# those of the small tables were measured here.
# ```

# %% [markdown]
# The tasks and sizes of the figure where AutoBuild loses:

# %%
judged = drawn[drawn.winner != "unknown"]
lost = judged[judged.winner == judged.other]
won = judged[judged.winner == judged.autobuild]
print(f"AutoBuild loses in {len(lost)} of {len(judged)} comparisons with intervals and wins in {len(won)}")
results.readable(lost)

# %% [markdown]
# On the networks with proxies, which are fewer rows of the same tables, other models may use proxies and AutoBuild may
# not:

# %%
beside_proxies = results.of_contests(leads, PROXIED)
ahead = beside_proxies[beside_proxies.winner == beside_proxies.autobuild]
behind = beside_proxies[beside_proxies.winner == beside_proxies.other]
print(f"AutoBuild loses in {len(behind)} of {(beside_proxies.winner != 'unknown').sum()} and wins in {len(ahead)}")
results.readable(behind)

# %% [markdown]
# ## Result: cost
#
# One run, one core: features of 10,000 random architectures, training on `cost_rows` rows of one target, predicting
# the 10,000. Zero-cost proxies are measured on three networks and multiplied.

# %%
rows_to_learn = subset(first, cost_rows, seed)
task = (chosen[0].name, chosen[0].targets[0])
costs = seconds.model_seconds(rows_to_learn, task[1], cost_models, 10_000, seed)
proxies = seconds.proxy_seconds(rows_to_learn, 10_000)
costs = run.table("costs", lambda: results.with_quality(costs, summary, task, cost_rows))
print(f"zero-cost proxies of 10,000 networks: about {proxies:,.0f} seconds")
costs.round(3).set_index("model")

# %% [markdown]
# Cost against quality:

# %% tags=["remove-output"]
glue("figure_cost", cost_and_quality(costs.dropna()))

# %% [markdown]
# ```{glue:figure} figure_cost
# ---
# name: figure-cost
# alt: >-
#   Rank correlation against seconds on a logarithmic axis, one marker per model; the ridge is at the lower end of cost,
#   AutoBuild at the upper end.
# ---
#
# Seconds of processor time (features, training, 10,000 predictions) on the machine that built this page, and the mean
# SRCC of the same model for the first task of the first table (accuracy), at the largest measured number of training
# rows that is not larger. With the bundled data, labels are a surrogate's.
# ```

# %% [markdown]
# ## Interpretation against interpretation
#
# Four models learn from the same rows; each is asked, in its own way, how much every unit and every feature of a layer
# matters: coefficients of the ridge, permuted GRAF columns of the forest, effects of AutoBuild's modules, and the
# scores of AutoBuild's FE-MLP. Shares of one row and part add up to one. Columns of GRAF overlap: what is permuted in
# one is still there in others, so its shares are not on the same scale. Rank correlations between the ways, means over
# targets:

# %%
from autobuild_book.chapters.peers import stories as explanation

story_table = subset(first, story_rows, seed)
told = [target for target in story_targets if target in chosen[0].targets] or list(chosen[0].targets[:1])
predictors = run.folder / "predictors"
shares = run.table("shares", lambda: explanation.stories(story_table, told, seed, predictors))
agreement = run.table("agreement", lambda: explanation.view_agreement(shares))
agreement.pivot_table(index=["part", "one"], columns="other", values="srcc", sort=False).round(2)

# %% [markdown]
# The shares themselves:

# %% tags=["remove-output"]
glue("figure_story_shares", figures.shares_by_view(shares))

# %% [markdown]
# ```{glue:figure} figure_story_shares
# ---
# name: figure-story-shares
# alt: >-
#   One panel per target with a row for each of four views and a column per unit and per feature of a layer; darker
#   cells mean larger shares of importance.
# ---
#
# How much units and features matter, by four views of models that learnt from the same rows; shares over units, and
# over features, add up to one. A blank cell: that view gives it no share (FE-MLP and columns of GRAF none to depth).
# With the bundled data, labels are a surrogate's.
# ```

# %% [markdown]
# ## Does combining help?
#
# AutoBuild's graph embeddings as further columns of the GRAF forest; the eight GRAF features that a forest finds most
# important as continuous global features of AutoBuild; and one-hot choices beside GRAF.

# %% tags=["remove-output"]
gains = run.table("gains", lambda: results.combining(results.of_contests(rows, LARGE)))
figure = figures.gains_of_combining(gains) if len(gains) else style.note("no combinations were measured")
glue("figure_gains", figure)

# %% [markdown]
# ```{glue:figure} figure_gains
# ---
# name: figure-gains
# alt: >-
#   A row per combination and part, one point per training size with its interval: the gain in rank correlation,
#   right of a vertical line at zero where combining helps.
# ---
#
# SRCC of a combination minus that of one of its parts, on the same training subsets: mean and 95 % interval over tasks
# of the large tables. With the bundled data, labels are a surrogate's.
# ```

# %% [markdown]
# ## Checks
#
# What must hold if the comparison is sound, whoever wins.

# %%
assert rows.srcc.dropna().between(-1, 1).all() and rows.recall.between(0, 1).all() and (rows.regret.dropna() >= 0).all()
assert not rows.duplicated([*results.KEY, "seed"]).any()
assert data != "bundled" or len(checked) > 0, "rows of the committed table were measured again"
ceiling = references[references.model == contests.CEILING].groupby(["contest", "target"]).srcc.mean()
highest = summary[summary.measure == "srcc"].groupby(["contest", "target"]).value.max()
assert not ((highest - ceiling).dropna() > 0.02).any(), "nothing ranks above the noise ceiling"

# %% [markdown]
# ## Which model?
#
# The rule: over the tasks of the large tables, find the model with the best mean; then advise the one that is cheapest
# to train among those that are *shown* to be as good but for a small margin: the 95 % interval of what they lose, over
# training subsets, ends below 0.01 in SRCC and 0.03 in regret. The margins are our choice. Combinations with AutoBuild
# take part. Where all rows are one training set there is no such interval, the loss itself decides, and the text says
# so. The text is generated from the numbers, for the models that have been measured.

# %%
on_large = results.of_contests(rows, LARGE)
sizes = sorted(on_large["size"].unique())
advice = {measure: results.advise(on_large, sizes, measure) for measure in ("srcc", "regret")}
box = results.decision_box(advice)
Markdown(box)

# %% [markdown]
# The numbers that the summary below quotes are written to `metrics.json` and glued into the text, never typed.

# %%
sentences = results.sentences(advice["srcc"])
stories = " to ".join(intervals.or_unknown(value, ".2f") for value in (agreement.srcc.min(), agreement.srcc.max()))
numbers = {
    "lost": f"{len(lost)} of {len(judged)}", "won": f"{len(won)} of {len(judged)}",
    "few": sentences[0], "many": sentences[-1], "stories": stories,
    "apart": results.chosen_apart(advice["srcc"], advice["regret"]),
}
for name, value in numbers.items():
    glue(f"peers_{name}", value.replace("**", ""), display=False)
record = run.finish(**numbers, leads=leads.to_dict("records"), costs=costs.to_dict("records"),
                    proxy_seconds=proxies, decision=box, differences=measured_again.for_metrics(checked))

# %% [markdown]
# ```{admonition} Summary
# On these data the best recipe of AutoBuild is clearly ahead of every other model in {glue:text}`peers_won`
# comparisons, and clearly behind one in {glue:text}`peers_lost`. {glue:text}`peers_few` {glue:text}`peers_many` Any two
# of the four ways to ask which units and features matter, target by target, have rank correlations from
# {glue:text}`peers_stories`. The labels of the large tables come from graph networks, which may favour graph networks.
# ```
#
# ## Exercises
#
#
# ```{exercise} Trees that are cut at random
# :label: exercise-extra-trees
#
# Extremely randomised trees draw the thresholds of their cuts instead of searching for them. Put them on GRAF in the
# place of the forest, with the same number of trees and the same share of columns. Do they rank better with 100
# labels?
# ```
#
# ```{solution} exercise-extra-trees
# :class: dropdown
#
# A learner is a class with `make`, and a model is made of it:
#
# ~~~python
# from dataclasses import dataclass
#
# from sklearn.ensemble import ExtraTreesRegressor
# from autobuild_book.chapters.shared.models.on_features import FeatureModel
#
#
# @dataclass(frozen=True)
# class ExtraTrees:
#     share_of_columns: float = 0.1
#
#     def make(self, seed):
#         return ExtraTreesRegressor(100, max_features=self.share_of_columns, random_state=seed)
#
#
# model = FeatureModel("extra trees: GRAF", ("GRAF",), ExtraTrees())
# ~~~
#
# Fitted as in the section on models, on three training subsets of 100 rows, it has 0.907 instead of the forest's
# 0.888 in SRCC on the panoptic table, 0.971 instead of 0.965 for GPU latencies of MobileNetV3, and 0.900 instead of
# 0.897 for its accuracies. The differences are 0.020 [-0.012, 0.051], 0.007 [-0.000, 0.013] and 0.003 [-0.055,
# 0.061], with 95 % intervals over three seeds: ahead in all three means, and shown in none. To settle it takes more
# seeds. With a line in `MODELS` (`autobuild_book/chapters/shared/models/registry.py`), `autobuild peers measure`
# measures it like all others.
# ```
#
# ```{exercise} Features that say nothing
# :label: exercise-constant-features
#
# A sequence architecture is a path. Which features of GRAF are the same for all networks of a table? Guess for
# MobileNetV3, then compute.
# ```
#
# ```{solution} exercise-constant-features
# :class: dropdown
#
# ~~~python
# from autobuild_book.chapters.shared.models.sequence_graf import sequence_features
# from autobuild_lib.data import load
#
# table = load("ofa_mbv3")
# features = sequence_features(table.space, table.architectures)
# print(len(features.columns), list(features.columns[features.nunique() == 1]))
# ~~~
#
# Of 858 features 39 are constant on the 3,000 networks of MobileNetV3, 47 of 1,001 on those of ProxylessNAS, and 37
# of 858 on the panoptic table. They are of two kinds. A set of *all* values holds the first and the last layer of
# every network and of every unit, so that its `input` and `output` are always 1: 24 of the 39. And no network
# consists of a single operation: `path` is -1 for sets of one value on the whole network, which are the other 15.
# ProxylessNAS also has a unit of one layer, whose `path` and `average` for all values are constant, beside its ends.
# Nothing is lost by leaving these out; a tree never cuts a constant column.
# ```
#
# ```{exercise} Two measures, two choices
# :label: exercise-two-measures
#
# With how many labels do rank correlation and regret choose different models, in means over the tasks of the large
# tables? How can the better ranking lose more?
# ```
#
# ```{solution} exercise-two-measures
# :class: dropdown
#
# First the best model by SRCC, then the one by regret: {glue:text}`peers_apart`. In SRCC every pair of networks
# counts, and most pairs are of middling ones. The regret looks at the ten that come first: a model that errs a little
# everywhere but puts one of the very best among its ten loses nothing, and one that orders everything else well and
# misses these loses much. It rests on one network of each ranking, so that it scatters more from one training subset
# to the next.
# ```
#
# ## What this page was built with

# %%
run.provenance()
