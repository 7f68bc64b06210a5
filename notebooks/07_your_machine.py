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
# (your-machine)=
# # Your machine: nothing borrowed
#
# The labels of the other chapters come from tables and surrogates. Here the target is the processor that runs this
# page: we build real networks, measure how long each takes, let AutoBuild learn from these few measurements, build
# networks that should be better, and then **measure those as well**. The paper {cite:p}`mills2024autobuild` measured
# three devices of its own; that a few dozen evaluations are enough is what it claims for diffusion models, and what
# is tried here on latency.
#
# **What you will learn**
#
# - how to measure latency so that it can be repeated, and how to know that it can;
# - how far the number of multiply-adds goes as a stand-in for time;
# - whether networks built from a few measurements beat the best of those measured;
# - why the best measurement is too good to be true.

# %% [markdown]
# ## Set-up
#
# `measure` is empty for the latency of real networks, or `module:function` for a function of your own that returns one
# number for an architecture ([how to](rerunning)); `label` then names that number in the targets. `space` is a family
# or a JSON description; when it is empty, it is the space of `data`. A target is an equation; more is better.

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345  # of the sample, the orders and the first predictor
data = "bundled"
space = ""
measure = ""
label = "latency"
targets = ["1000 / latency", "acc * 100 / latency", "1000 * power(acc, 20) / latency"]
memory_format = "channels_last"  # or contiguous
networks = 120  # measured to learn from
rounds = 2  # visits of each network, each in a new order
predictors = 3  # whose scores are averaged
steps = 400  # of the optimiser, for each predictor
built = 6  # networks of each kind that are measured at the end
final_rounds = 4
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
import numpy as np
from myst_nb import glue

from autobuild_book import intervals
from autobuild_book.chapters.machine import building, figures, gains, learning, subjects, verdict as judging
from autobuild_book.chapters.machine.latency import LatencyMeter, complete, machine, measure_rounds
from autobuild_book.chapters.shared import few_labels
from autobuild_book.runs.recording import Run

run = Run.start("07_your_machine", globals())

# %% [markdown]
# ## What is measured, and for what
#
# Three targets. `1000 / latency` counts images per second. `acc * 100 / latency` is accuracy per millisecond; since
# accuracy varies far less between these networks than time does, it is nearly the first target again, and **the
# smallest network of the space, the shallowest with e3 k3 layers only, is a baseline that needs no learning at all**.
# In `power(acc, 20) / latency`, one per cent more accuracy is worth twenty per cent more time, and neither the smallest
# nor the largest network wins: there is something to be found. Accuracy is the bundled surrogate's, not a measurement.

# %%
equations = [targets] if isinstance(targets, str) else list(targets)
meter = LatencyMeter(memory_format)
subject, note = subjects.choose_subject(data, space, measure, label, equations, meter)
print(note or f"{subject.space.name} on {machine()}")

# %% [markdown]
# ## Measuring
#
# A visit builds a network with random weights (time does not depend on them), runs it twice to warm up, times five
# forward passes of one image on one thread, takes the median and drops the network. The clock is the processor time of
# that thread: on a machine at rest the time on the wall, without what other programs take. A round visits all networks
# once in a new order, so that whatever changes slowly, such as heat or other programs, falls on all alike; building a
# network anew in every round also varies where it lies in memory. A network's label is the median over rounds.
# Finished visits are kept: an interrupted run continues.

# %%
drawn = subjects.draw(subject.space, networks, seed)
measured = complete(
    measure_rounds(drawn, subject.measure, rounds, run.folder / "first", label, seed)
)
table = run.uses(subjects.measured_table(subject, measured))
run.table("measured", lambda: measured)
table.labels.describe().loc[["mean", "std", "min", "50%", "max"]].round(3)

# %% [markdown]
# What makes these numbers comparable, in code. Round $r$ has an order of its own, drawn from `[seed, r]`. The rows of
# `measured` have one number for each network and round; a label is the median over a network's rounds, so that one
# round in which something else was running does not decide. Two halves of the rounds, odd and even, share no
# measurement:

# %%
orders = [np.random.default_rng([seed, number]).permutation(len(drawn)) for number in range(1, rounds + 1)]
by_round = measured.pivot(index="architecture", columns="round", values=label)  # a row per network
by_hand = by_round.median(axis=1)[list(table.architectures)]
assert np.array_equal(by_hand, table.labels[label])
odd, even = (by_round.loc[:, by_round.columns % 2 == half].median(axis=1) for half in (1, 0))
print("the first five visits of each round:", *(order[:5].tolist() for order in orders))
print(f"rank correlation of the {label} in odd and in even rounds: {odd.rank().corr(even.rank()):.3f}")

# %% [markdown]
# ## How well can it be known?
#
# Odd and even rounds are two independent measurements of the same networks. Their rank correlation (SRCC) says how
# much there is to learn; below about 0.9 the machine was busy with other things, and what follows means little. The
# `ceiling` is what a model without any error would reach against the median over all rounds.

# %%
repeated = run.table("repeatability", lambda: learning.repeatability(subject, measured))
lowest = repeated.srcc.min()
print("Two measurements agree with an SRCC of at least", intervals.or_unknown(lowest, ".2f"), learning.care(lowest))
repeated.round(3).set_index("target")

# %% [markdown]
# The same networks, twice; and what their multiply-adds would have told.

# %% tags=["remove-output"]
both = run.table("halves", lambda: learning.half_by_half(subject, measured))
glue("figure_measurements", figures.measurements(both, label))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_measurements
# ---
# name: figure-measurements
# alt: >-
#   Left, a dot per network: its latency in odd rounds against that in even rounds, beside a diagonal line. Right, the
#   latency of the same networks against their number of multiply-adds.
# ---
#
# Left: latency of random networks in odd against even rounds; without noise all dots would lie on the line. Right:
# mean of both against the number of multiply-adds. Measured on one thread of the machine that built this page.
# ```

# %% [markdown]
# ## Learning from few measurements
#
# AutoBuild's predictor is the paper's network with our optimiser. The recipe was fixed on the bundled latencies of
# *other* devices, before anything was measured here, and is the same for every machine: mean pooling, because sums
# would make embeddings long where networks are deep, that is slow; batches of 8, and a fixed number of steps. To see
# how well it ranks networks it has not seen, every fifth of the networks is predicted from the other four. Beside it
# stand an **additive ridge** regression on one-hot choices, and a straight line in **multiply-adds**, from which each
# target follows. The predictors that are used from here on learn from all rows.

# %%
seeds = range(seed, seed + predictors)
trained, predictions = learning.learn(table, subject.targets, seeds, steps, run.folder / "predictors")
ranks = run.table("ranks", lambda: learning.rank_quality(predictions))
glue("figure_rank_quality", figures.rank_quality(ranks, repeated), display=False)
ranks.pivot(index="target", columns="model", values="srcc").round(3)

# %% [markdown]
# ```{glue:figure} figure_rank_quality
# ---
# name: figure-rank-quality
# alt: >-
#   One panel per target with a row per model: AutoBuild's head, the norms of its last hop, the additive ridge and
#   multiply-adds. Each row has a point for the rank correlation with its interval; a dashed line marks the rank
#   correlation of two measurements.
# ---
#
# Spearman correlation of out-of-fold predictions with the measured target, with 95 % intervals over networks. Dashed:
# two measurements of the same networks. Latency measured on this machine; accuracy from the surrogate.
# ```

# %% [markdown]
# ## Building
#
# Every possible content of every unit gets its module score, averaged over the predictors: the paper's `norm`, and our
# `effect` ([the method](method)); the additive ridge scores modules as well, by the sum of its coefficients. From each
# unit we keep the best three, and build the architectures with the highest sums. The best module of every unit for the
# first target (`modules.csv` beside the notebook has the other targets):

# %%
corpora = few_labels.score(table, trained)
modules = few_labels.best_modules(corpora)
run.table("modules", lambda: modules.reset_index())
modules.loc[subject.targets[0]].T

# %% [markdown]
# ## Measuring again
#
# What was built is measured in the same interleaved rounds as the best of the networks measured before, random ones of
# them, and the smallest network. The best are measured **again** because they were chosen by a measurement: whoever
# was lucky then is overrated.

# %%
chosen = building.candidates(subject, table, corpora, built, seed)
architectures = list(dict.fromkeys(chosen.architecture))
final = complete(
    measure_rounds(architectures, subject.measure, final_rounds, run.folder / "final", label, seed)
)
values = run.table("final", lambda: gains.final_values(subject, chosen, final))
print(f"{len(architectures)} different networks, {final_rounds} rounds")

# %% [markdown]
# ## Result
#
# `gain` is how much better the mean of a group is than the mean of the best measured networks, in per cent, with its
# interval over networks (Welch's t-test). `first_gain` compares the two first choices only, with the interval over
# rounds: neither was chosen by these rounds.

# %%
comparison = run.table("comparison", lambda: gains.gains_over_best(values))
columns = ["gain", "low", "high", "first_gain", "first_low", "first_high"]
comparison.set_index(["target", "group"])[columns].round(1)

# %% [markdown]
# Network by network:

# %% tags=["remove-output"]
glue("figure_final_measurement", figures.final_measurement(gains.by_network(values), comparison))

# %% [markdown]
# ```{glue:figure} figure_final_measurement
# ---
# name: figure-final-measurement
# alt: >-
#   One panel per target with a row per group: networks built by norm score, effect score and additive ridge, the best
#   measured ones, random ones, and the smallest network. Dots are networks, bars are means; a dashed line marks the
#   mean of the best measured networks.
# ---
#
# The last measurement: the value of each target (right is better) for every network, a dot each, and the means of
# groups. Dashed: mean of the best measured networks, measured again. Latency measured on this machine, all groups in
# the same rounds; accuracy from the surrogate.
# ```

# %% [markdown]
# Where these networks lie in the plane of both labels:

# %% tags=["remove-output"]
networks_built = building.labels_of_built(subject, chosen, final)
up = next((name for name in ("acc", "flops_m") if name in networks_built), label)
glue("figure_plane", figures.plane(table.labels, networks_built, across=label, up=up))

# %% [markdown]
# ```{glue:figure} figure_plane
# ---
# name: figure-plane
# alt: >-
#   Accuracy against latency. Small grey dots are the networks measured first; coloured markers are the networks built
#   by norm score and by effect score, one colour per target.
# ---
#
# Accuracy (of the surrogate) and latency (measured on this machine) of the networks measured first, grey, and of those
# built for each target. The two measurements are minutes apart, so small shifts in latency mean nothing.
# ```

# %% [markdown]
# ## The winner's curse
#
# How the best networks of the first measurement did in the second, in per cent of their first value. Random networks
# tell what the machine changed meanwhile; what the best lost beyond that was luck.

# %%
curse = run.table("second_look", lambda: gains.second_look(subject, table, values))
curse.round(1).set_index(["target", "group"])

# %% [markdown]
# ## Checks
#
# What must hold if the pipeline is sound, whatever the measurements say.

# %%
assert len(table) + len(set(drawn) - set(table.architectures)) == networks
assert (values.groupby(["target", "group", "place"])["round"].nunique() == final_rounds).all()
assert ranks.srcc.dropna().between(-1, 1).all() and repeated.srcc.dropna().between(-1, 1).all()
zero = comparison[comparison.group == building.BEST]
assert len(zero) == len(subject.targets) and (zero.gain == 0).all() and (zero.first_gain == 0).all()

# %% [markdown]
# ## Verdict
#
# The rule was fixed before measuring. On each target, the mean of the networks built by norm score must be above the
# mean of the best measured ones, measured again (one-sided Welch's t-tests, Holm's correction over targets, 5 %).
# *Supported* means all targets, *partly* at least half. The effect score is judged by the same rule, for comparison.

# %%
verdict, verdict_effect = judging.judge(comparison), judging.judge(comparison, few_labels.EFFECT)
checks = run.table("checks", lambda: verdict.checks)
print(verdict)
print(verdict_effect)
for target in subject.targets:
    print(judging.sentence(comparison, target))
    print(judging.sentence(comparison, target, few_labels.EFFECT))

# %% [markdown]
# The numbers that the summary below quotes are written to `metrics.json` and glued into the text, never typed.

# %%
numbers = {
    "verdict": verdict.word, "verdict_effect": verdict_effect.word,
    "repeatability": intervals.or_unknown(lowest, ".3f"), "care": learning.care(lowest),
    "networks": len(table), "built": len(architectures), "machine": machine(),
    "sentences": " ".join(judging.sentence(comparison, target) for target in subject.targets),
    "ridge": judging.sentence(comparison, subject.targets[-1], few_labels.RIDGE),
}
for name, value in numbers.items():
    glue(f"machine_{name}", value, display=False)
record = run.finish(**numbers, checks=checks.to_dict("records"), ranks=ranks.to_dict("records"),
                    repeatability_by_target=repeated.to_dict("records"))

# %% [markdown]
# ```{admonition} Summary
# On this machine ({glue:text}`machine_machine`), two measurements rank networks with an SRCC of at least
# {glue:text}`machine_repeatability`. {glue:text}`machine_care` From {glue:text}`machine_networks` measured networks,
# the verdict on the claim that built ones beat the best of them is *{glue:text}`machine_verdict`* by norm score and
# *{glue:text}`machine_verdict_effect`* by effect score. {glue:text}`machine_sentences` For comparison,
# {glue:text}`machine_ridge` Latency is measured here and speaks for this machine only; accuracy is a surrogate's.
# ```
#
# ## Exercises
#
# ```{exercise} From two halves to the whole
# :label: exercise-two-halves
#
# Two halves of the rounds agree with a correlation of 0.9. How well does the mean of all rounds agree with the truth?
# The formula of Spearman and Brown gives the correlation of two *whole* measurements.
# ```
#
# ```{solution} exercise-two-halves
# :class: dropdown
#
# Two wholes agree with $2 r / (1 + r) = 1.8 / 1.9 = 0.947$. A measurement agrees with the truth by the square root of
# its agreement with another one: $\sqrt{0.947} = 0.973$. No model can be expected to exceed that against these labels,
# which is the `ceiling` of the table above. The formula is exact for linear correlations, and a good guess for those of
# ranks.
# ```
#
# ```{exercise} How much luck is in the best
# :label: exercise-luck-of-the-best
#
# Take 120 networks whose true values have a standard deviation of 1, and a measurement with noise of 0.3. By how much
# are the best six of a first measurement overrated? And with noise of 0.1 or 0.5?
# ```
#
# ```{solution} exercise-luck-of-the-best
# :class: dropdown
#
# ~~~python
# rng = np.random.default_rng(0)
# true, noise = rng.normal(size=(20_000, 120)), rng.normal(size=(2, 20_000, 120))
# for size in (0.1, 0.3, 0.5):
#     first, second = true + size * noise[0], true + size * noise[1]
#     best = first.argsort(axis=1)[:, -6:]
#     means = [np.take_along_axis(values, best, axis=1).mean() for values in (first, second)]
#     print(size, *means)
# ~~~
#
# They lose 0.02, 0.17 and 0.45: from 2.04, 2.12 and 2.26 to 2.02, 1.94 and 1.81. The second look keeps a share of
# $1 / (1 + \sigma^2)$, the correlation of two measurements: 0.99, 0.92 and 0.80. So the agreement of the halves tells
# the curse in advance.
# ```
#
# ```{exercise} Another layout in memory
# :label: exercise-memory-format
#
# Run this notebook with `-p memory_format contiguous`. How much of the latency do multiply-adds explain now, and what
# is left for a predictor to learn?
# ```
#
# ```{solution} exercise-memory-format
# :class: dropdown
#
# The answer is your machine's. Compare the row of multiply-adds with the row of AutoBuild's head in `ranks.csv` of both
# runs (`autobuild compare` draws them side by side), and both with the ceiling: what lies between multiply-adds and the
# ceiling can be learnt, what lies above it cannot.
# ```
#
# ```{exercise} A busy machine
# :label: exercise-busy-machine
#
# Run it while you watch a video. Which numbers show that the machine was busy, and which do not?
# ```
#
# ```{solution} exercise-busy-machine
# :class: dropdown
#
# The repeatability falls, and the page says what that means for the rest; the intervals of the last measurement get
# wider. The medians shift for all networks alike, since every round visits all of them: a rank correlation with the
# multiply-adds hardly shows it. The clock is the processor time of one thread, which leaves out time that other
# programs took, but not caches that they emptied.
# ```
#
# ## What this page was built with

# %%
run.provenance()
