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
# # Lab 1: reading embeddings
#
# AutoBuild trains a graph network so that the *length* of an embedding means something. In this lab you compute such an
# embedding, its length, and the loss that gives it a meaning, by hand: with five numbers, a sheet of paper and NumPy.
#
# **Goals.** After this lab you can
#
# - compute a node's embedding at hop 0 and say why each of its numbers can be read;
# - tell hard ranks, `argsort` and soft ranks apart, and project two numbers onto the permutahedron;
# - compute the ranking loss of a batch, and say what it asks of the norms beyond their order.
#
# **You need** to know NumPy (not PyTorch), and the chapter *The method, on one page* up to "A loss that gives length a
# meaning".
# **Time**: about 45 minutes. Nothing here is measured on real hardware; the last exercise uses the book's bundled
# table, whose labels come from surrogates.
#
# Put your answers where three dots stand. The cell after each answer checks it: it accepts any right answer in any
# usual form, and gives a hint otherwise. Try as often as you like.

# %%
import numpy as np

import autobuild_lib as ab
from autobuild_book.labs import embeddings

check = embeddings.Lab(seed=0)

# %% [markdown]
# ## Exercise 1: one node at hop 0
#
# At hop 0 every feature of a layer becomes one number. The value of the feature has a vector; a linear layer turns the
# vector into a score $s$ = vector · weights + bias; and the node's embedding holds the magnitudes of the scores,
# $h_0 = (|s_1|, |s_2|, |s_3|)$. Here are the three features of one layer:

# %%
for value, (vector, weights, bias) in check.categories.items():
    print(f"{value:9} vector {vector}   weights {weights}   bias {bias}")

# %% [markdown]
# Compute the three numbers of $h_0$, in this order. Paper is fine; so is code.

# %% nbgrader={"grade_id": "node-embedding", "solution": true}
h0 = ...
# BEGIN SOLUTION
h0 = [abs(np.dot(vector, weights) + bias) for vector, weights, bias in check.categories.values()]
# END SOLUTION

# %% nbgrader={"grade_id": "check-node-embedding", "grade": true, "points": 1}
check.node_embedding(h0)

# %% [markdown]
# ## Exercise 2: the norm of a graph
#
# A *graph embedding* is the mean of the node embeddings, and its L1 norm is what AutoBuild reads. These are the
# embeddings of three nodes (rows) with four channels (columns) at some hop. What is the norm of their graph embedding?

# %%
check.nodes

# %% nbgrader={"grade_id": "graph-norm", "solution": true}
norm = ...
# BEGIN SOLUTION
norm = np.abs(check.nodes.mean(axis=0)).sum()
# END SOLUTION

# %% nbgrader={"grade_id": "check-graph-norm", "grade": true, "points": 1}
check.graph_norm(norm)

# %% [markdown]
# ## Exercise 3: hard ranks
#
# The loss asks the norms to *rank* networks as the target does. Give the rank of each of these five values: 1 for the
# smallest, 5 for the largest, in the order in which the values stand here.

# %%
check.values

# %% nbgrader={"grade_id": "hard-ranks", "solution": true}
ranks = ...
# BEGIN SOLUTION
ranks = np.argsort(np.argsort(check.values)) + 1
# END SOLUTION

# %% nbgrader={"grade_id": "check-hard-ranks", "grade": true, "points": 1}
check.hard_ranks(ranks)

# %% [markdown]
# ## Exercise 4: soft ranks of two numbers
#
# Hard ranks have no gradient. *Soft* ranks divide the values by a strength and project them onto the permutahedron, the
# convex hull of all orders of (1, ..., n). For two values this is easy to see: the orders are (1, 2) and (2, 1), and
# the permutahedron is the segment between them. Every point of it is
#
# $$\left(1.5 - \tfrac{d}{2}, \; 1.5 + \tfrac{d}{2}\right) \quad \text{with} \quad -1 \le d \le 1 .$$
#
# The point of the segment that is nearest to $(a, b) / \text{strength}$ has $d = (b - a) / \text{strength}$, unless
# that leaves the segment. Write the function; it returns the two soft ranks of $a$ and $b$.


# %% nbgrader={"grade_id": "soft-rank-pair", "solution": true}
def soft_rank_pair(a, b, strength):
    ranks = ...
    # BEGIN SOLUTION
    d = np.clip((b - a) / strength, -1, 1)
    ranks = 1.5 - d / 2, 1.5 + d / 2
    # END SOLUTION
    return ranks


# %% nbgrader={"grade_id": "check-soft-rank-pair", "grade": true, "points": 2}
check.soft_rank_pair(soft_rank_pair)

# %% [markdown]
# ## Exercise 5: how strong is too strong?
#
# For more than two values the library projects for you. Here are the five values of exercise 3 at several strengths:

# %%
for strength in (0.1, 0.3, 0.7, 1.0, 2.0, 10.0):
    print(f"strength {strength:4}: {ab.losses.soft_rank(check.values, strength).round(2)}")

# %% [markdown]
# A small strength gives exactly the hard ranks. What is the *largest* strength that still does? In exercise 4 two
# values had hard ranks as long as they lay at least one strength apart; for five values the same holds for
# neighbours.

# %% nbgrader={"grade_id": "largest-strength", "solution": true}
largest = ...
# BEGIN SOLUTION
largest = np.diff(np.sort(check.values)).min()
# END SOLUTION

# %% nbgrader={"grade_id": "check-largest-strength", "grade": true, "points": 1}
check.largest_strength(largest)

# %% [markdown]
# ## Exercise 6: the ranking loss of one hop
#
# Five networks have these norms and these targets (accuracies in percent). The loss of a hop is 1 minus Pearson's
# correlation between the *soft ranks of the norms* (strength 1) and the *targets*. Compute it; `ab.losses.soft_rank`
# may help with the ranks.

# %%
print("norms  ", check.norms)
print("targets", check.targets)

# %% nbgrader={"grade_id": "ranking-loss", "solution": true}
loss = ...
# BEGIN SOLUTION
soft = ab.losses.soft_rank(check.norms)
loss = 1 - np.corrcoef(soft, check.targets)[0, 1]
# END SOLUTION

# %% nbgrader={"grade_id": "check-ranking-loss", "grade": true, "points": 2}
check.ranking_loss(loss)

# %% [markdown]
# ## Exercise 7: norms without loss
#
# Now be the network: find five positive norms whose ranking loss with these targets is at most 0.001. Getting the order
# right is not enough. Many answers are right, and the targets themselves are none: why not? Your line of exercise 6
# computes the loss of a try.

# %% nbgrader={"grade_id": "better-norms", "solution": true}
norms = ...
# BEGIN SOLUTION
norms = 1 + 0.1 * (check.targets - check.targets.min())  # so close that soft ranks are linear in them
# END SOLUTION

# %% nbgrader={"grade_id": "check-better-norms", "grade": true, "points": 2}
check.better_norms(norms)

# %% [markdown]
# ## Exercise 8: a real batch
#
# The next cell trains a small predictor for a few seconds on 600 networks of the bundled table, and draws 32 networks
# that it has not seen. `norms` has a row per hop and a column per network.

# %%
table = ab.data.load("ofa_mbv3")
train, test = table.split(0.9, seed=check.seed)
predictor = ab.fit(table.space, train.take(range(600)), "acc", preset="tuned", epochs=8)
batch = test.take(range(32))
norms_by_hop, targets = predictor.norms(batch.architectures), batch.labels["acc"].to_numpy()
norms_by_hop.shape

# %% [markdown]
# What is the ranking loss of each hop on this batch? Give one number per hop, from hop 0 on.

# %% nbgrader={"grade_id": "losses-by-hop", "solution": true}
losses = ...
# BEGIN SOLUTION
losses = []
for level in norms_by_hop:
    soft = ab.losses.soft_rank(level)
    losses.append(1 - np.corrcoef(soft, targets)[0, 1])
# END SOLUTION

# %% nbgrader={"grade_id": "check-losses-by-hop", "grade": true, "points": 2}
check.losses_by_hop(losses, norms_by_hop, targets)

# %% [markdown]
# ## To discuss
#
# 1. Which hop ranks this batch best, and would you expect the same for another batch?
# 2. Exercise 7 had many answers. Why does it not matter to the rest of AutoBuild which of them a network finds?
# 3. What would training do with the norms at strength 0.01, and what at strength 100?
