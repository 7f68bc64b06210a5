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
# # Lab 4: design target equations for a region of the frontier
#
# One target equation aims at one part of the frontier of accuracy and latency. In this lab you design equations that
# aim where you want, train on one of them, build a cluster of networks, and find out whether it has improved its
# region.
#
# **Goals.** After this lab you can
#
# - say when a network dominates another, and find a frontier;
# - write equations that aim at the fast, the middle and the accurate part of a frontier, and recognise equations that
#   rank alike;
# - aim, build, and judge by a rule that was fixed before.
#
# **You need** lab 3, or the chapters *Experiment 3* and *Experiment 4*. **Time**: about 60 minutes. Labels come from
# surrogates, and the same surrogate judges what you build.
#
# Put your answers where three dots stand; the cell after each answer checks it.

# %%
import autobuild_lib as ab
from autobuild_book.labs import judging, regions

check = regions.Lab(seed=0)

# %% [markdown]
# ## Exercise 1: to dominate
#
# A network dominates another if it is no slower and no less accurate, and better in at least one of the two. Write the
# function: `one` and `other` are pairs (latency, accuracy), and it returns True or False.


# %% nbgrader={"grade_id": "dominates", "solution": true}
def dominates(one, other):
    answer = ...
    # BEGIN SOLUTION
    no_worse = one[0] <= other[0] and one[1] >= other[1]
    answer = no_worse and one != other
    # END SOLUTION
    return answer


# %% nbgrader={"grade_id": "check-dominates", "grade": true, "points": 1}
check.dominates(dominates)

# %% [markdown]
# ## Exercise 2: a frontier
#
# Which of these seven networks does no other one dominate? Give their letters.

# %%
check.networks.T

# %% nbgrader={"grade_id": "frontier", "solution": true}
frontier = ...
# BEGIN SOLUTION
pairs = {name: (row.latency_gpu, row.acc) for name, row in check.networks.iterrows()}
frontier = [name for name in pairs if not any(dominates(other, pairs[name]) for other in pairs.values())]
# END SOLUTION

# %% nbgrader={"grade_id": "check-frontier", "grade": true, "points": 1}
check.frontier_names(frontier)

# %% [markdown]
# ## Exercise 3: aim
#
# Find the frontier of a table, and cut it by latency into a fast, a middle ("balanced") and an accurate third:

# %%
known = check.frontier()
thirds = [known.region_of(place) for place in range(len(known.labels))]
known.labels.assign(third=thirds).groupby("third", sort=False)[["latency_gpu", "acc"]].agg(["min", "max"]).round(4)

# %% [markdown]
# An equation aims at the network it values most. Write one for each third, over the labels `acc` (a fraction) and
# `latency_gpu` (in ms), whose favourite in the table lies there. Powers are one way to make accuracy count more or
# less; they are not the only one. This shows what an equation likes best:

# %%
for text in ("acc / latency_gpu", "acc"):
    favourite = known.table.iloc[ab.Target(text).evaluate(known.table).argmax()]
    print(f"{text}: {favourite.acc:.4f} at {favourite.latency_gpu:.2f} ms")

# %% nbgrader={"grade_id": "equations", "solution": true}
fast = ...
balanced = ...
accurate = ...
# BEGIN SOLUTION
texts = [f"power(acc, {exponent}) / latency_gpu" for exponent in range(1, 200)]
latencies = [known.table.latency_gpu[ab.Target(text).evaluate(known.table).argmax()] for text in texts]
third_of = [thirds[known.labels.latency_gpu.searchsorted(latency)] for latency in latencies]
aims = {third: [text for text, lies_in in zip(texts, third_of, strict=True) if lies_in == third] for third in thirds}
fast, balanced, accurate = (aims[third][len(aims[third]) // 2] for third in ("fast", "balanced", "accurate"))
# END SOLUTION

# %% nbgrader={"grade_id": "check-fast", "grade": true, "points": 1}
check.region_equation(fast, "fast")

# %% nbgrader={"grade_id": "check-balanced", "grade": true, "points": 1}
check.region_equation(balanced, "balanced")

# %% nbgrader={"grade_id": "check-accurate", "grade": true, "points": 1}
check.region_equation(accurate, "accurate")

# %% [markdown]
# ## Exercise 4: the same order in other words
#
# Write an equation that ranks all networks exactly as the one below does, using only logarithms, `+`, `-` and `*`.

# %%
check.like

# %% nbgrader={"grade_id": "same-order", "solution": true}
same = ...
# BEGIN SOLUTION
exponent = check.like.removeprefix("power(acc, ").partition(")")[0]
same = f"{exponent} * log(acc) - log(latency_gpu)"
# END SOLUTION

# %% nbgrader={"grade_id": "check-same-order", "grade": true, "points": 2}
check.same_order(same)

# %% [markdown]
# ## Exercise 5: improve a region
#
# Choose a third. Train a predictor on an equation that aims at it (`ab.fit` with `preset="tuned", epochs=8` takes
# seconds), score the modules (`ab.score_units`, by norm or by effect), and keep the best of each unit
# (`corpus.top(k=3)`: 243 networks). The rule, fixed before: *at least half* of the cluster dominate a point of the
# third. A cluster has at least 32 networks. Not every third is equally easy; say in advance which one you try first.

# %%
train, test = check.table.split(0.9, seed=12345)

# %% nbgrader={"grade_id": "cluster", "solution": true}
region = ...  # "fast", "balanced" or "accurate"
cluster = ...
# BEGIN SOLUTION
region = "fast"
predictor = ab.fit(train.space, train.take(range(900)), fast, seed=0, preset="tuned", epochs=8)
corpus = ab.score_units(predictor, score="effect")
cluster = corpus.top(k=3)
# END SOLUTION

# %% nbgrader={"grade_id": "check-cluster", "grade": true, "points": 3}
check.cluster(cluster, region)

# %% [markdown]
# ## Exercise 6: what is it worth?
#
# Somebody has a latency budget: that of the *slowest* network of your third of the frontier. How many percentage
# points of accuracy do they gain: the best network of your cluster within the budget, minus the best of the table
# within it? `judging.label(list(cluster))` labels your cluster.

# %% nbgrader={"grade_id": "gain", "solution": true}
gain = ...
# BEGIN SOLUTION
budget = known.region(region)[:, 0].max()
own = judging.label(list(cluster))
best = own.acc[own.latency_gpu <= budget].max()
gain = 100 * (best - known.labels.acc[known.labels.latency_gpu <= budget].max())
# END SOLUTION

# %% nbgrader={"grade_id": "check-gain", "grade": true, "points": 2}
check.gain(gain, cluster, region)

# %% [markdown]
# ## To discuss
#
# 1. Was your first try the final one? If you tried several equations against the same judge, what is
#    the share of half worth?
# 2. A cluster beyond the accurate end dominates nothing, and yet may be new. Is the rule fair to it?
# 3. The frontier was chosen on labels without noise. What changes if it is chosen on noisy ones?
# 4. `same` and the equation of exercise 4 rank alike. Would a predictor trained on either learn the same?
