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
# # Lab 3: score modules, and build a network for a budget
#
# A predictor can score *any piece* of a network. Score all pieces, keep the best of each unit, and combine them: that
# is how AutoBuild builds. In this lab you compute one score by hand, let the library compute 36,855, and build a
# network that is more accurate than the table's best within a budget of latency.
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
import itertools

import autobuild_lib as ab
from autobuild_book.labs import judging, modules

check = modules.Lab(seed=0)

# %% [markdown]
# ## A predictor to score with
#
# A target in which accuracy counts a lot and GPU latency counts too. On 900 networks, training takes a few seconds.

# %%
table, space = check.table, check.table.space
train, test = table.split(0.9, seed=12345)
target = "power(acc, 20) / latency_gpu"
predictor = ab.fit(space, train.take(range(900)), target, seed=0, preset="tuned", epochs=8)
ab.evaluate(predictor, test)[["srcc"]].round(3).T

# %% [markdown]
# ## Exercise 1: how many modules?
#
# A unit has at least the fewest and at most the most layers that stand below, and each layer chooses one of so many
# expansions and one of so many kernels. How many different contents can *one* such unit have?

# %%
check.unit_of_exercise_1

# %% nbgrader={"grade_id": "contents", "solution": true}
contents = ...
# BEGIN SOLUTION
unit = check.unit_of_exercise_1
contents = sum((unit.expansions * unit.kernels) ** layers for layers in range(unit.fewest, unit.most + 1))
# END SOLUTION

# %% nbgrader={"grade_id": "check-contents", "grade": true, "points": 1}
check.contents(contents)

# %% [markdown]
# ## Exercise 2: one score by hand
#
# Take the module and the unit that the next cell names (units count from 0). Its last layer sees the whole module after
# $m$ hops, where $m$ is one less than its number of layers $n$. With the norm at that hop,
#
# $$\text{score} = \frac{\text{norm}_m - \mu_m}{\sigma_m} \, \sigma_{u,n} + \mu_{u,n} .$$
#
# The first pair of moments belongs to the norms of hop $m$, the second to the *target* among training networks whose
# unit $u$ has $n$ layers. All you need:

# %%
norms = check.module_norms(predictor)  # of the last layer, at every hop
hop_moments = predictor.moments.hops  # an array [hop, 2]: hop_moments[1] is the mean and standard deviation at hop 1
unit_moments = check.target_moments(predictor)  # an array [unit, layers, 2]: unit_moments[0, 4] for unit 0, 4 layers
print(f"module {check.module} in unit {check.unit}")
print(f"norms at hops 0 to {len(norms) - 1}:", norms.round(3))
print("moments of hop 1:", hop_moments[1].round(3), "  of unit 0 with 4 layers:", unit_moments[0, 4].round(6))

# %% nbgrader={"grade_id": "score", "solution": true}
score = ...
# BEGIN SOLUTION
layers = 3
(centre, spread), (mean, sd) = hop_moments[layers - 1], unit_moments[check.unit, layers]
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
# networks* than the number below?

# %%
print(f"{check.more_than:,}")

# %% nbgrader={"grade_id": "smallest-k", "solution": true}
smallest_k = ...
# BEGIN SOLUTION
smallest_k = next(k for k in range(1, 100) if k**5 > check.more_than)
# END SOLUTION

# %% nbgrader={"grade_id": "check-smallest-k", "grade": true, "points": 1}
check.smallest_k(smallest_k)

# %% [markdown]
# ## Exercise 5: two scores, two places
#
# You have a corpus by norm score, the paper's. The effect score is another: `ab.score_units(predictor, score="effect")`
# asks what a module does to the prediction. Both come from one predictor of one target. Do they build the same kind of
# network? `corpus.top(k=3)` is a reduced space: the 243 networks from the three best modules of each unit. Label both
# with `judging.label(list(corpus.top(k=3)))`, and give the *mean GPU latency* (in ms) by the norm score and by the
# effect score, in this order.

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
# ## Exercise 6: build for a budget
#
# Somebody has a budget of latency that lies between the two clusters. What does the table offer within it?

# %%
budget, known = check.budget(by_norm, by_effect), check.frontier().labels[["acc", "latency_gpu"]]
print(f"budget {budget} ms; the best of the table within it:")
known[known.latency_gpu <= budget].tail(1).round(4)

# %% [markdown]
# Build a network *within the budget* that is *more accurate* than that one. Any such network is a right answer. One
# cluster is too slow, the other not accurate enough, but nothing keeps you from mixing them: for each unit you know two
# best modules, one of either score. `space.parse(text)` makes a network from `"resolution224"` and five modules with
# `|` between them, and `judging.label(networks)` gives the labels of any networks, without noise.

# %% nbgrader={"grade_id": "built", "solution": true}
built = ...
# BEGIN SOLUTION
tables = [each.table.set_index("module") for each in (by_norm, by_effect)]
pairs = [[each[each.unit == unit].score.idxmax() for each in tables] for unit in range(5)]
networks = [space.parse("|".join(["resolution224", *chosen])) for chosen in itertools.product(*pairs)]
labels = judging.label(networks)
built = networks[labels.acc.where(labels.latency_gpu <= budget).idxmax()]
# END SOLUTION

# %% nbgrader={"grade_id": "check-built", "grade": true, "points": 3}
check.built(built, budget)

# %% [markdown]
# ## To discuss
#
# 1. The norm score and the effect score come from the same predictor. Why can they disagree?
# 2. Which of the two clusters serves the target better? (`ab.Target(target).evaluate(judging.label(...))`)
# 3. Draw as many networks as you labelled with `space.sample(n, rng=0)`. How many of them solve exercise 6?
# 4. You labelled networks to find a winner. Is it fair to compare with the table's?
