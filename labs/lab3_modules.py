# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: "1.3"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lab 3: score modules, and build a network that beats the table
#
# A predictor can score *any piece* of a network. Score all pieces, keep the best of each unit, and combine them: that
# is how AutoBuild builds. In this lab you compute one score by hand, let the library compute 36,855, and build a
# network that is better than one of the table's best.
#
# **Goals.** After this lab you can
#
# - count the modules of a space and the networks of a reduced space;
# - compute a module score from an embedding norm, with both standardisations;
# - build networks from the best modules, label them, and judge honestly whether they beat what was known.
#
# **You need** lab 2, or the chapters *The method, on one page* and *Experiment 3*. **Time**: about 50 minutes. Labels
# come from surrogates, and the same surrogate judges what you build: a network that wins here has won inside this
# model of the world.
#
# Put your answers where three dots stand; the cell after each answer checks it.

# %%
import numpy as np

import autobuild_lib as ab
from autobuild_book.labs import judging, modules as check

# %% [markdown]
# ## A predictor to score with
#
# A target in which accuracy counts a lot and GPU latency counts too. On 900 networks, training takes a few seconds.

# %%
table = ab.data.load("ofa_mbv3")
space = table.space
train, test = table.split(0.9, seed=12345)
target = "power(acc, 20) / latency_gpu"
predictor = ab.fit(space, train.take(range(900)), target, seed=0, preset="tuned", epochs=8)
ab.evaluate(predictor, test)[["srcc"]].round(3).T

# %% [markdown]
# ## Exercise 1: how many modules?
#
# A unit has two to four layers, and each layer chooses one of three expansions and one of three kernels. How many
# different contents can *one* unit have?

# %% nbgrader={"grade_id": "contents", "solution": true}
contents = ...
# BEGIN SOLUTION
contents = sum(9**layers for layers in (2, 3, 4))
# END SOLUTION

# %% nbgrader={"grade_id": "check-contents", "grade": true, "points": 1}
check.contents(contents)

# %% [markdown]
# ## Exercise 2: one score by hand
#
# The module `e6_k7,e3_k3,e4_k5` in unit 2 (units count from 0, so this is the third). Its last layer sees the whole
# module after $m$ hops, where $m$ is one less than its number of layers $n$. With the norm at that hop,
#
# $$\text{score} = \frac{\text{norm}_m - \mu_m}{\sigma_m} \, \sigma_{u,n} + \mu_{u,n} .$$
#
# The first pair of moments belongs to the norms of hop $m$, the second to the *target* among training networks whose
# unit $u$ has $n$ layers. All you need:

# %%
norms = check.module_norms(predictor, check.UNIT, check.MODULE)  # of the last layer, at every hop
hop_moments = predictor.moments.hops  # [hop]: mean, standard deviation
unit_moments = predictor.moments.units  # [unit, layers]: mean, standard deviation
print("norms at hops 0 to 4:", norms.round(3))
print("moments of hop 1:", hop_moments[1].round(3), "  of unit 0 with 4 layers:", np.round(unit_moments[0, 4], 6))

# %% nbgrader={"grade_id": "score", "solution": true}
score = ...
# BEGIN SOLUTION
layers = 3
(centre, spread), (mean, sd) = hop_moments[layers - 1], unit_moments[2, layers]
score = (norms[layers - 1] - centre) / spread * sd + mean
# END SOLUTION

# %% nbgrader={"grade_id": "check-score", "grade": true, "points": 2}
check.score(score, predictor)

# %% [markdown]
# ## Exercise 3: the best module of each unit
#
# The library scores every module of every unit. `corpus.table` has a row per module; `unit` counts from 0.

# %%
corpus = ab.score_units(predictor)
corpus.table[["unit", "depth", "module", "score"]].sample(5, random_state=0)

# %% [markdown]
# Give the module with the highest score of each unit, as a list of five texts, unit 0 first.

# %% nbgrader={"grade_id": "best-modules", "solution": true}
best = ...
# BEGIN SOLUTION
rows = corpus.table.groupby("unit")["score"].idxmax()
best = corpus.table.loc[rows, "module"].tolist()
# END SOLUTION

# %% nbgrader={"grade_id": "check-best-modules", "grade": true, "points": 1}
check.best_modules(best, corpus)

# %% [markdown]
# ## Exercise 4: how large is a reduced space?
#
# Keep the K best modules of each of the five units, and combine them freely. What is the smallest K that gives *more
# than a million* networks?

# %% nbgrader={"grade_id": "smallest-k", "solution": true}
smallest_k = ...
# BEGIN SOLUTION
smallest_k = next(k for k in range(1, 100) if k**5 > 1_000_000)
# END SOLUTION

# %% nbgrader={"grade_id": "check-smallest-k", "grade": true, "points": 1}
check.smallest_k(smallest_k)

# %% [markdown]
# ## Exercise 5: beat the table
#
# A network *dominates* another if it is no slower and no less accurate, and better in one of the two. The networks of
# the table that no other one of it dominates are its frontier. `judging.label` gives the labels of any network
# without noise; `judging.beats_the_table` says which networks dominate one of the frontier.

# %%
frontier = judging.frontier()
frontier.labels[["acc", "latency_gpu"]].iloc[::4].round(4)

# %% [markdown]
# Build a network that dominates one of the frontier. You have a corpus by norm score, the paper's; the effect score is
# another: `ab.score_units(predictor, score="effect")` asks what a module does to the prediction. `corpus.top(k=3)` is a
# reduced space of 243 networks, small enough to label them all. Any network that wins is a right answer.

# %% nbgrader={"grade_id": "built", "solution": true}
built = ...
# BEGIN SOLUTION
by_effect = ab.score_units(predictor, score="effect")
candidates = list(by_effect.top(k=3))
winners = [n for n, wins in zip(candidates, judging.beats_the_table(candidates), strict=True) if wins]
built = winners[0]
# END SOLUTION

# %% nbgrader={"grade_id": "check-built", "grade": true, "points": 3}
check.beating(built)

# %% [markdown]
# ## Exercise 6: two scores, two places
#
# Both scores come from one predictor of one target. Do they build the same kind of network? Give the *mean GPU latency*
# (in ms) of the 243 networks from the three best modules of each unit, with the norm score and with the effect score,
# in this order. `judging.label(list(corpus.top(k=3)))` labels a reduced space.

# %%
by_norm, by_effect = corpus, ab.score_units(predictor, score="effect")

# %% nbgrader={"grade_id": "latencies", "solution": true}
latencies = ...
# BEGIN SOLUTION
latencies = [judging.label(list(each.top(k=3))).latency_gpu.mean() for each in (by_norm, by_effect)]
# END SOLUTION

# %% nbgrader={"grade_id": "check-latencies", "grade": true, "points": 2}
check.latencies(latencies, by_norm, by_effect)

# %% [markdown]
# ## To discuss
#
# 1. The norm score and the effect score come from the same predictor. Why can they disagree?
# 2. Which of the two clusters serves the target better? (`ab.Target(target).evaluate(judging.label(...))`)
# 3. Draw 243 networks at random with `space.sample(np.random.default_rng(0), 243)`. How many of them beat the
#    table, and what does that say about exercise 5?
# 4. You labelled 243 networks to find a winner. Is it fair to compare with the table's 3,000?
