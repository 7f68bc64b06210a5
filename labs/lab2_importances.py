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
# # Lab 2: train a predictor and read its FE-MLP
#
# A predictor learns a target from evaluated networks. Its first layer, the feature-embedding MLP (FE-MLP), gives each
# value of each feature one number, and you can read it. In this lab you train a predictor, test it, read that layer,
# and find out what such a number says and what it does not.
#
# **Goals.** After this lab you can
#
# - split a table, write a target equation, train a predictor and evaluate every hop of it;
# - read the importance of each expansion and kernel, and add up a network's norm at hop 0 from them;
# - tell an *importance* from an *effect*, by an intervention.
#
# **You need** pandas and the idea of a rank correlation; lab 1, or the chapter *The method, on one page*. **Time**:
# about 40 minutes. All labels are surrogate labels with noise: outputs of networks that imitate published predictors.
#
# Put your answers where three dots stand; the cell after each answer checks it.

# %%
import torch
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.labs import importances

check = importances.Lab(seed=0)

# %% [markdown]
# ## Exercise 1: what is held out
#
# Rows of the bundled table of OFA-MobileNetV3, an architecture each, with its accuracy (a fraction), its latencies (in
# milliseconds) and its multiply-adds (in millions).

# %%
table, space = check.table, check.table.space
print(f"{len(table):,} architectures")
table.labels.describe().loc[["min", "mean", "max"]].round(3)

# %% [markdown]
# Split it at random: 90 % to train, the rest to test. (`table.split` and `table.take` are of use.)

# %% nbgrader={"grade_id": "split", "solution": true}
train, test = ..., ...
# BEGIN SOLUTION
train, test = table.split(0.9, seed=12345)
# END SOLUTION

# %% nbgrader={"grade_id": "check-split", "grade": true, "points": 1}
check.split(train, test)

# %% [markdown]
# ## Exercise 2: a target
#
# A target is a label or an equation over labels. Write one for *percentage points of accuracy per millisecond* on the
# device that the next cell names: a network with 77 % at 7 ms gets 11.

# %%
print(f"latency on the {check.device}: the label latency_{check.device}")

# %% nbgrader={"grade_id": "target", "solution": true}
target = ...
# BEGIN SOLUTION
target = f"acc * 100 / latency_{check.device}"
# END SOLUTION

# %% nbgrader={"grade_id": "check-target", "grade": true, "points": 1}
check.target(target)

# %% [markdown]
# ## Exercise 3: a predictor
#
# Train one with `ab.fit(space, ..., target, ...)`. With `preset="tuned"` and `epochs=8` it takes a few seconds; the
# paper's preset needs many more epochs. Which part of the table may it see?

# %% nbgrader={"grade_id": "predictor", "solution": true}
predictor = ...
# BEGIN SOLUTION
predictor = ab.fit(space, train, target, seed=0, preset="tuned", epochs=8)
# END SOLUTION

# %% nbgrader={"grade_id": "check-predictor", "grade": true, "points": 2}
check.predictor(predictor, test)

# %% [markdown]
# ## Exercise 4: does every hop rank?
#
# `predictor.norms(architectures)` returns the norms of the graph embeddings, a row per hop. Compute the Spearman rank
# correlation (SRCC) of each row with the target on the *test* networks: a number per hop, hop 0 first.

# %% nbgrader={"grade_id": "srcc-by-hop", "solution": true}
srcc_by_hop = ...
# BEGIN SOLUTION
truth = ab.Target(target).evaluate(test.labels)
srcc_by_hop = [spearmanr(level, truth).statistic for level in predictor.norms(test.architectures)]
# END SOLUTION

# %% nbgrader={"grade_id": "check-srcc-by-hop", "grade": true, "points": 2}
check.srcc_by_hop(srcc_by_hop, predictor, train, test)

# %% [markdown]
# Hop 0 knows only which values occur, and how often. What it is missing, the later hops see: what follows what.
#
# ## Exercise 5: read the FE-MLP
#
# `predictor.network.features` is the FE-MLP. `value_scores(category)` gives the score of every value of a category,
# in a tensor of shape [1, values]. The categories of this space:

# %%
categories = {category.name: category for category in space.categories}
for name, category in categories.items():
    print(f"{name:11} values {category.values}")

# %% [markdown]
# The *importance* of a value is the magnitude of its score. Give those of the expansions 3, 4, 6 and those of the
# kernels 3, 5, 7, in this order.

# %% nbgrader={"grade_id": "importances", "solution": true}
expansions = ...
kernels = ...
# BEGIN SOLUTION
with torch.no_grad():
    expansions = predictor.network.features.value_scores(categories["e"])[0].abs().tolist()
    kernels = predictor.network.features.value_scores(categories["k"])[0].abs().tolist()
# END SOLUTION

# %% nbgrader={"grade_id": "check-expansions", "grade": true, "points": 1}
check.importance(expansions, predictor, "e")

# %% nbgrader={"grade_id": "check-kernels", "grade": true, "points": 1}
check.importance(kernels, predictor, "k")

# %% [markdown]
# ## Exercise 6: add up a network
#
# At hop 0 the embedding of a layer is the list of the importances of its values, one for each of the six categories.
# The FE-MLP looks them all up: shape [1, layers, categories].

# %%
network = check.network
layers, pooling = check.layers(predictor, network)
print(network, layers, f"{layers.shape}, pooling: {pooling}", sep="\n")

# %% [markdown]
# Compute the L1 norm of the graph embedding at hop 0 from `layers`. Mind how this predictor pools its layers. (One
# line, without asking `predictor.norms`.)

# %% nbgrader={"grade_id": "hop0-norm", "solution": true}
norm = ...
# BEGIN SOLUTION
norm = layers.sum() if pooling == "sum" else layers.mean(axis=0).sum()
# END SOLUTION

# %% nbgrader={"grade_id": "check-hop0-norm", "grade": true, "points": 2}
check.hop0_norm(norm, predictor, network)

# %% [markdown]
# ## Exercise 7: importance is not effect
#
# Is a value with a large importance good for the target? Ask the predictor by an *intervention*: take 100 networks,
# replace one value by another wherever it stands, and compare. By how much does the mean prediction change (after minus
# before)? `str(network)` gives a text, `space.parse(text)` reads it.

# %%
networks = check.networks
print(f"replace every {check.old} by {check.new}, as in {networks[0]}")

# %% nbgrader={"grade_id": "change", "solution": true}
change = ...
# BEGIN SOLUTION
changed = [space.parse(str(network).replace(check.old, check.new)) for network in networks]
change = predictor.predict(changed).mean() - predictor.predict(networks).mean()
# END SOLUTION

# %% nbgrader={"grade_id": "check-change", "grade": true, "points": 2}
check.change(change, predictor, networks)

# %% [markdown]
# ## To discuss
#
# 1. Put the importances of the two values beside the change of exercise 7. Do they agree? Must they?
# 2. Train again with another `seed`. Which importances keep their order? Which would you report?
# 3. Train with `rank_loss="off"`. What happens to the head, and what to the hops?
# 4. The labels come from surrogates. Which of your findings would you expect to hold on a real phone?
