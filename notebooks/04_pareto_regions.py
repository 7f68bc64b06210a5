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
# (pareto-regions)=
# # Experiment 4: aiming at regions of the Pareto frontier
#
# **Claim C4.** *Reduced spaces of the three best modules per unit, one space for each target equation, improve chosen
# regions of the training set's accuracy-latency frontier.* **Claim C5.** *Evolutionary search inside the product of the
# 25 best modules per unit beats the full space, with stage-level or layer-level mutation, and layer spaces reduced by
# experts.* In the paper {cite:p}`mills2024autobuild` these are the two rows of Figure 5.
#
# **What you will learn**
#
# - how to write a target equation for a part of the frontier, and what 243 networks built from it are worth;
# - whether a score read from embeddings, a score read from predictions, or plain linear regression aims best;
# - what a reduced space buys a search, at which budget, and where on the frontier it has nothing to offer.

# %% [markdown]
# ## Set-up
#
# `data` is `bundled`, or one source for one family (then `space` names its search space, unless the source says it).
# `regions` maps names to equations; `{latency}` stands for the latency of each device. `checkpoints` is a folder with
# the published predictors, if you have fetched them. With `supernet`, a published once-for-all file, and `images`, a
# folder of ImageNet, networks are not labelled by the surrogates but [measured](supernets), on `validate` validation
# images each (0: all).

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345  # the first training seed, and the first search seed; further ones follow it
data = "bundled"
space = ""
regions = {"fast": "power(acc, 10) / {latency}", "balanced": "power(acc, 20) / {latency}",
           "accurate": "power(acc, 40) / {latency}"}
epochs = 100  # of each predictor; the paper's preset has 200
seeds = 1  # predictors per equation
hosts = 16  # random networks behind the effect score
searches = 20  # of each method on each panel
checkpoints = ""
supernet = ""
images = ""
validate = 0
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from myst_nb import glue

from autobuild_book.chapters.regions import clusters as reduction, figures, search_gains, search_runs, verdicts
from autobuild_book.chapters.shared import frontiers, rivals
from autobuild_book.chapters.shared.panels import train_all
from autobuild_book.figures import style
from autobuild_book.runs.recording import Run
from autobuild_lib import score_units
from autobuild_lib.spaces import read_space

run = Run.start("04_pareto_regions", globals())

# %% [markdown]
# ## Data: six panels, three equations
#
# A panel is one family on one device. Each has an equation per region: the higher the power of accuracy, the less
# latency counts. The powers were chosen by looking where the best of 60,000 random architectures, labelled by the
# surrogates, lie along the latency axis, before any module was scored.

# %%
from autobuild_book.chapters.regions.imagenet_judge import imagenet_judges

panels = reduction.region_panels(data, regions, read_space(space) if space else None)
measured = None
if supernet:
    panels, measured = imagenet_judges(panels, supernet, images, Path(out) / "supernet", validate)
for table in {panel.family: panel.split.train for panel in panels}.values():
    run.uses(table)
pd.DataFrame({panel.device: panel.equations for panel in panels}).T

# %% [markdown]
# ## Method: predictors, scores, reduced spaces
#
# One predictor per equation with the paper's preset, for {glue:text}`regions_epochs` epochs (the paper: 200; those that
# [experiment 3](subgraph-ranking) has trained are used again). Then every content of every unit gets three scores:
#
# - the **norm score**, the paper's: how long the embedding of a module is; the claims are judged on it;
# - the **effect score**, ours: how much the same predictor's output changes when the module is put into random
#   networks;
# - the **additive ridge**: the sum of a module's coefficients in a linear regression on one-hot choices, which knows
#   nothing of order or neighbourhood. It is a yardstick: what can do no better than this has no need of a graph
#   network.

# %%
training_seeds = range(seed, seed + seeds)
predictors = train_all(panels, training_seeds, [], Path(out) / "predictors", epochs)
reductions = reduction.reduce_spaces(panels, predictors, training_seeds, hosts)

# %% [markdown]
# From scores to a space takes four lines (paper, Section 3.4): keep the best $K$ contents of every unit, and combine
# them freely. What was searched for in a huge space can then simply be listed. For the first equation of the first
# panel and $K = 3$:

# %%
import itertools

reduced = reductions[0]
score, region = next(iter(reduced.spaces))
corpus = score_units(predictors[reduced.panel.family, reduced.panel.equations[region], reduced.seed], score)
best = [group.codes[np.argsort(-group.scores, kind="stable")[:3]] for group in corpus.groups]
networks = [corpus.head + b"".join(map(bytes, contents)) for contents in itertools.product(*best)]
assert networks == list(map(bytes, reduced.cluster(score, region).codes()))
print(" x ".join(str(len(contents)) for contents in best), "contents of units =", len(networks), "networks")

# %% [markdown]
# The three best contents of each of five units make a *cluster* of 3⁵ = 243 networks; the 25 best will be searched.
# `built.csv` beside the notebook lists the five networks of highest summed score of every cluster. With your own data
# these are the ones to evaluate next. The first of each for the first panel:

# %%
built = run.table("built", lambda: reduction.best_networks(reductions))
first = (built.family == panels[0].family) & (built.device == panels[0].device) & (built["rank"] == 1)
pd.set_option("display.max_colwidth", None)
shown = built[first & (built.seed == seed)].set_index(["region", "score"])
shown.architecture.str.replace("|", " | ").str.replace(",", ", ").to_frame()

# %% [markdown]
# ```{exercise} How many networks?
# :label: exercise-how-many-networks
#
# Five units keep their $K$ best contents. How many networks are there for $K = 2$ and for $K = 10$? What is the
# smallest $K$ for which they are more than a million?
# ```
#
# ```{solution} exercise-how-many-networks
# :class: dropdown
#
# $2^5 = 32$ and $10^5 = 100{,}000$. $15^5 = 759{,}375$ and $16^5 = 1{,}048{,}576$, so 16.
# ```

# %% [markdown]
# ## Who judges, and what a region is
#
# All networks, built or from the training split, are labelled by the surrogate *without* noise (or measured, with
# `supernet`; then captions that name surrogates mean these measurements, and a log keeps them). The frontier consists
# of the training architectures that no other one dominates: none is at least as good in accuracy and latency, and
# better in one. With three equations, the **region** of an equation is the third of the frontier's points that it
# values most; regions may share points. A cluster improves its region if at least half of its networks dominate a
# point of it.
#
# Hypervolume is the area that a set of points dominates, up to the slowest and least accurate training architecture, in
# units of the rectangle that the training table spans; reference point and scale are thus fixed for each panel.

# %%
judges = measured or frontiers.surrogate_judges(panels)
labels = frontiers.training_labels(panels, judges)
frontier_of = frontiers.training_frontiers(panels, labels)
noisy = frontiers.training_frontiers(panels, labels, noisy=True)
frontier = run.table("frontier", lambda: frontiers.frontier_table(frontier_of))
skipped = "Skipped: these data have no surrogate, so that nothing can be evaluated here. Evaluate built.csv yourself."
print(skipped if not frontier_of else frontier.groupby(["family", "device"], sort=False).size().to_string())

# %% [markdown]
# ```{exercise} New, and no improvement
# :label: exercise-new-and-useless
#
# A training frontier has three points: 10 ms and 75 %, 12 ms and 76 %, 15 ms and 77 %. A network was built with 11 ms
# and 75.6 %. Which points does it dominate, and which dominate it? Is the rule fair to it?
# ```
#
# ```{solution} exercise-new-and-useless
# :class: dropdown
#
# It dominates none: it is slower than the first and less accurate than the others. And none dominates it: the first
# is less accurate, the others are slower. So it does not improve a region by the rule, though it is a compromise that
# nobody had. That is why this page also counts networks that are `new`, and the hypervolume that is `gained`.
# ```
#
# ```{exercise} An area by hand
# :label: exercise-hypervolume
#
# Up to 20 ms and down to 74 %, which area do the points (10 ms, 75 %) and (15 ms, 77 %) dominate? How much does the
# point (12 ms, 76 %) add?
# ```
#
# ```{solution} exercise-hypervolume
# :class: dropdown
#
# From 10 to 15 ms the dominated area is 1 point of accuracy high, from 15 to 20 ms it is 3 high:
# $5 \cdot 1 + 5 \cdot 3 = 20$. With the third point it is 2 high from 12 to 15 ms:
# $2 \cdot 1 + 3 \cdot 2 + 5 \cdot 3 = 23$. It adds 3.
# ```

# %% [markdown]
# ## Result: clusters of 243 networks
#
# Every network of every cluster is evaluated, so that nothing depends on luck.

# %%
clusters = run.table("clusters", lambda: reduction.evaluate_clusters(reductions, judges))
judged = run.table("judged", lambda: reduction.judge_clusters(clusters, frontier_of, noisy))
summary = run.table("summary", lambda: verdicts.cluster_means(judged))

# %% [markdown]
# The rule in code, for the first cluster: a network improves the region if there is a training architecture in it that
# the network *dominates*, with no more of both costs (latency and lost accuracy) and less of one. `share` counts these
# networks.

# %%
from autobuild_lib.search import StageMutation, costs, front


def improves(network, region):
    return any((network <= point).all() and (network < point).any() for point in region)


for row in judged.head(1).itertuples():
    cluster = clusters[(clusters[reduction.KEY] == pd.Series(row._asdict())[reduction.KEY]).all(axis=1)]
    line = frontier_of[row.family, row.device]
    points = costs(cluster, "acc", "latency")  # [networks, 2]: latency and negative accuracy
    share = np.mean([improves(network, line.points[line.regions[row.region]]) for network in points])
    assert share == row.share
    print(f"{share:.0%} of {len(points)} networks improve the region {row.region} ({row.family}, {row.device})")

# %% [markdown]
# The first family, a row per device and a column per score:

# %% tags=["remove-output"]
families = list(dict.fromkeys(panel.family for panel in panels))


def draw_clusters(number):
    family = families[number : number + 1]
    points, line = (table[table.family.isin(family)] for table in (clusters, frontier))
    if points.empty:
        return style.note("These data have no second family." if frontier_of else skipped)
    return figures.pareto_clusters(points[points.seed == seed], line)


glue("figure_clusters_first", draw_clusters(0))
glue("figure_clusters_second", draw_clusters(1))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_clusters_first
# ---
# name: figure-clusters-first
# alt: >-
#   Nine scatter plots of accuracy against latency, rows GPU, CPU and NPU, columns norm score, effect score and additive
#   ridge. Coloured clusters of built networks, one for each equation, lie near a staircase of training architectures.
# ---
#
# OFA-MobileNetV3 (or the family of your data): the 243 networks built from the three best modules per unit, for each
# equation in its own colour, and the training frontier; a point of the frontier has a ring in the colour of each
# region it belongs to. Above the staircase is better than any training architecture. First training seed; surrogate
# labels without noise.
# ```
#
# ```{glue:figure} figure_clusters_second
# ---
# name: figure-clusters-second
# alt: >-
#   The same nine scatter plots for OFA-ProxylessNAS: clusters of built networks near the staircase of the training
#   frontier, by device in rows and by score in columns.
# ---
#
# The same for OFA-ProxylessNAS. Surrogate labels without noise.
# ```

# %% [markdown]
# How much of each cluster improves the region that its equation aims at:

# %% tags=["remove-output"]
shares = figures.dominating_shares(summary) if frontier_of else style.note(skipped)
glue("figure_dominating_shares", shares)

# %% [markdown]
# ```{glue:figure} figure_dominating_shares
# ---
# name: figure-dominating-shares
# alt: >-
#   Dot plot with a row per family, device and region. Markers for norm score, effect score and additive ridge lie
#   between 0 and 1, many at one of the ends; a dashed line marks one half.
# ---
#
# Share of the 243 networks of each cluster that dominate a training architecture in the region of their equation; means
# over training seeds, with 95 % intervals where there are at least two. The networks of a cluster resemble each other,
# so that it tends to win or lose as a whole. Surrogate labels without noise.
# ```

# %% [markdown]
# A cluster can miss its region and still be new: beyond the end of the frontier there is nothing left to dominate.
# Hence two more numbers, in percent: the networks that no training architecture dominates (`new`), and the hypervolume
# that a cluster adds to that of the frontier (`gained`).

# %%
more = (100 * summary.set_index(["family", "device", "region", "score"])[["new_share", "gained"]]).round(1)
more.columns = ["new", "gained"]
more.unstack("score", sort=False)

# %% [markdown]
# The best accuracy within a latency budget, against the best training architecture within it, for all clusters of a
# score together. Budgets are quantiles of the latencies on the frontier; numbers are percentage points of ImageNet
# accuracy according to the surrogate; missing ones mean that no built network is fast enough.

# %%
budgets = run.table("budgets", lambda: reduction.at_budgets(clusters, frontier_of))
gains = run.table("gains", lambda: verdicts.cluster_gains(budgets))
gains.round(2).set_index(["family", "device", "quantile"])

# %% [markdown]
# ### What if the frontier is chosen on noisy labels?
#
# Whoever has only the table picks the frontier by its noisy labels, and part of it is there by luck. Such a frontier
# should be easier to improve. The same rule, applied to this frontier, and to any point instead of the region's:

# %%
ways = run.table("ways", lambda: verdicts.ways_to_count(judged))
ways.set_index(["score", "counted"])

# %% [markdown]
# ## Result: do the published predictors agree?
#
# Built networks are chosen to look good to a predictor, and the surrogate that judges them was distilled from the
# published predictors {cite:p}`mills2024autobuild`. Do these agree on networks at the edge of the space? Fetch them
# with `autobuild data fetch checkpoints` and give their folder as `checkpoints`. Without them, the page shows a
# comparison that was made once, with the standard profile. `share` is judged by the surrogate, `other_share` by the
# published predictors (frontier included); differences are published minus surrogate, in the mean over the cluster's
# networks.

# %%
if checkpoints and frontier_of:
    others = frontiers.published_judges(panels, Path(checkpoints))
    published = run.table("published", lambda: reduction.compare_judges(reductions, judges, others))
else:
    published = reduction.committed_comparison()
print("labelled now" if checkpoints and frontier_of else "from the committed comparison, on the bundled data")
by_published = {score: verdicts.judge_regions(published, score, "other_share").word for score in reduction.SCORES}
texts = ", ".join(f"{text} by {score}" for score, text in by_published.items())
print("the rule of claim C4, judged by the published predictors:", texts)
means = ["acc_difference", "acc_mae", "latency_difference", "latency_mae", "share", "other_share"]
published.groupby(["family", "device", "score"], sort=False)[means].mean().round(4)

# %% [markdown]
# ## Result: search
#
# Every search evaluates 50 random architectures, then four rounds of 50 mutations of the front found so far: 250
# evaluations, none twice.
#
# - **Unit-Reduce** draws and swaps whole unit contents, out of the union of the reduced spaces (25 modules per unit and
#   equation) of the panel's equations: once with the norm score, once with the effect score.
# - **Stage-Full** does the same in the full space. All contents of a unit are equally likely, as in the authors' code;
#   since most of them have the most layers, it starts among deep and slow networks.
# - **Layer-Full** adds, removes or swaps single layers. **Layer-Insight** does so among the layers, depths and mutation
#   probabilities that experts derived from profiling blocks {cite:p}`mills2021profiling`.
# - **NSGA-II** {cite:p}`deb2002fast`, from pymoo {cite:p}`blank2020pymoo`, is an outside reference that the paper
#   lacks.
#
# Mind that this comparison counts evaluations of the search only. Behind Unit-Reduce stand the labelled training
# architectures, behind Layer-Insight the experts' profiling; the other three start from nothing.

# %%
search_seeds = range(seed, seed + searches)
curves, fronts = search_runs.search_panels(reductions, frontier_of, search_seeds, judges=measured)
run.table("curves", lambda: curves)
run.table("fronts", lambda: fronts)
medians = run.table("medians", lambda: rivals.median_curves(curves))

# %% [markdown]
# One search by hand, from the same seed (paper, Section 4): draw 50 networks; then four times, draw 50 parents from the
# front of all that was evaluated, change some of their units, and evaluate what is new. It ends with the same front.

# %%
def search_by_hand(mutation, judge, latency, rng, size=50, rounds=4):
    """Return the costs of the front, [N, 2]."""
    codes, points = np.empty((0, mutation.space.code_width), np.uint8), np.empty((0, 2))
    for number in range(rounds + 1):
        seen, new = set(map(bytes, codes)), {}
        parents = codes[front(points)]
        while len(new) < size:
            chosen = parents[rng.integers(len(parents), size=size)] if number else []
            drawn = mutation.mutate(rng, chosen) if number else mutation.sample(rng, size)
            new |= {bytes(code): code for code in drawn if bytes(code) not in seen}
        new = np.stack(list(new.values())[:size])
        codes = np.concatenate([codes, new])
        points = np.concatenate([points, costs(judge(new), "acc", latency)])
    return points[front(points)]


# %% [markdown]
# Its space is the union of the reduced spaces of the first panel's equations, by norm score:

# %%
for panel in panels[:1] if frontier_of else ():
    mutation = StageMutation(reduced.union("norm"))
    by_hand = search_by_hand(mutation, judges[panel.family], panel.latency, np.random.default_rng(seed))
    of_first = {"family": panel.family, "device": panel.device, "method": search_runs.OURS["norm"], "seed": seed}
    ended = costs(fronts[(fronts[list(of_first)] == pd.Series(of_first)).all(axis=1)], "acc", "latency")
    assert np.allclose(by_hand[np.argsort(by_hand[:, 0])], ended, rtol=1e-5)
    print(f"{len(ended)} networks on the front, as in fronts.csv: {mutation.reduced!r}, {of_first['method']}")

# %% [markdown]
# Hypervolume as the searches go on:

# %% tags=["remove-output"]
glue("figure_search_curves", figures.search_curves(medians, frontier) if frontier_of else style.note(skipped))
one_seed = fronts[fronts.seed == seed]
glue("figure_search_fronts", figures.search_fronts(one_seed, frontier) if frontier_of else style.note(skipped))

# %% [markdown]
# ```{glue:figure} figure_search_curves
# ---
# name: figure-search-curves
# alt: >-
#   Six panels, columns MobileNetV3 and ProxylessNAS, rows GPU, CPU and NPU. Lines of median hypervolume rise with the
#   number of evaluations for six search methods; a horizontal line marks the training frontier.
# ---
#
# Hypervolume against evaluations: medians over search seeds, with 95 % intervals where there are at least six seeds.
# The black line is the training frontier, for which the whole training table was evaluated. Surrogate labels without
# noise.
# ```
#
# ```{glue:figure} figure_search_fronts
# ---
# name: figure-search-fronts
# alt: >-
#   Six panels of accuracy against latency, columns MobileNetV3 and ProxylessNAS, rows GPU, CPU and NPU. Staircases show
#   the final front of six search methods and the training frontier; they begin and end at different latencies.
# ---
#
# The fronts after 250 evaluations, first search seed, and the training frontier. Surrogate labels without noise.
# ```

# %% [markdown]
# Final hypervolume, medians over search seeds:

# %%
final = medians[medians.evaluations == medians.evaluations.max()]
final.set_index(["family", "device", "method"])["median"].unstack("method", sort=False).round(3)

# %% [markdown]
# ### Where does the reduction pay?
#
# First along the frontier. The same budgets of latency as above: what a search ends with, against the best training
# architecture, in percentage points (medians over search seeds; missing where half of the searches found nothing fast
# enough). A reduced space holds what its equations asked for, and hypervolume also counts what they did not ask for.

# %%
gained = run.table("search_gains", lambda: search_gains.search_gains(fronts, frontier_of))
gained.drop(columns="budget").round(2).set_index(["family", "device", "quantile"])

# %% [markdown]
# Then along the budget of evaluations: all of it, a half, and a fifth, where only the random start has been evaluated
# and the spaces are compared without any search. Each cell counts panels where our method has a higher hypervolume than
# its rival / no significant difference / a lower one (one-sided Mann-Whitney tests at 5 %, Holm's correction over all
# panels and over the rivals of a kind). With three or four seeds no test can be significant.

# %%
tests = run.table("tests", lambda: search_gains.rival_tests(curves))
pays = run.table("pays", lambda: search_gains.where_it_pays(tests))
search_gains.readable(pays)

# %% [markdown]
# ```{exercise} What the labels cost
# :label: exercise-what-labels-cost
#
# Unit-Reduce has 2,700 labelled training architectures behind it. Suppose that a rival without them needs 500
# evaluations for what Unit-Reduce reaches with 250. After how many searches on one family have the labels paid for
# themselves? Why may searches on different devices be counted together?
# ```
#
# ```{solution} exercise-what-labels-cost
# :class: dropdown
#
# $2{,}700 + 250 n < 500 n$ holds from $n = 11$ searches on ($n > 10.8$). The training architectures have the
# latencies of all three devices, and one accuracy, so that one table serves all of them. Each device needs predictors
# of its own, but no further evaluation.
# ```

# %% [markdown]
# ### For the explorer
#
# [The explorer](explorer) shows these networks as points to walk among: the clusters above, and the training
# architectures, coloured by the sum of their modules' norm scores for an equation (first training seed).

# %%
from autobuild_book.chapters.regions import explorer

first_seed = [reduction for reduction in reductions if reduction.seed == seed]
points = run.table("explorer", lambda: explorer.training_points(first_seed, labels))
points.groupby("family").architecture.count().to_frame("architectures")

# %% [markdown]
# ## Checks
#
# What must hold if the pipeline is sound, whatever the data say about the claims.

# %%
sizes = [reduction.cluster(*which).size for reduction in reductions for which in reduction.spaces]
assert not len(judged) or set(judged.networks) == set(sizes), "clusters are evaluated completely"
assert (judged.any_share >= judged.share).all() and (judged.new_share >= judged.any_share).all()
assert (judged.gained >= -1e-9).all(), "more points never lose hypervolume"
runs = curves.groupby(["family", "device", "method", "seed"])
assert runs.hypervolume.apply(lambda volume: volume.is_monotonic_increasing).all()
assert curves.groupby("method").size().nunique() <= 1, "equal budgets and as many runs for every method"

# %% [markdown]
# ## Verdicts
#
# The rules were fixed before the runs, and are judged on the norm score. **C4**: in at least 5 of 6 panels, for at
# least 2 of 3 regions, at least half of the cluster dominates a point of the region's training frontier. *Partly*: in
# at least half of the panels.

# %%
verdict = verdicts.judge_regions(judged)
checks = run.table("checks_c4", lambda: verdict.checks)
print(verdict)
checks

# %% [markdown]
# **C5**: the final hypervolume beats each of the paper's three baselines in at least 5 of 6 panels (corrected
# p < 0.05). *Supported* means all three, *partly* at least half of them; with too few seeds for any test to reach
# p < 0.05 it is *undecided*.

# %%
search_verdict = verdicts.judge_searches(tests)
search_checks = run.table("checks_c5", lambda: search_verdict.checks)
print(search_verdict)
search_checks

# %% [markdown]
# Means over panels with 95 % intervals, for [the page of verdicts](verdicts), and how far the published predictors are
# from the surrogates on the built networks, for [the page of limitations](limitations).

# %%
estimates_c4, estimates_c5 = verdicts.cluster_estimates(judged), verdicts.search_estimates(tests)
differences = published.groupby(["family", "device", "score"], sort=False)[means].mean().reset_index()
pd.DataFrame([*estimates_c4, *estimates_c5]).set_index("estimate").round(3)

# %% [markdown]
# The numbers that the summary below quotes are written to `metrics.json` and glued into the text, never typed.

# %%
numbers = verdicts.summary_numbers(ways, published, search_checks)
numbers |= {"c4": verdict.word, "c5": search_verdict.word}
numbers |= {"c5_effect": verdicts.judge_searches(tests, "effect").word}
numbers |= {"c4_published": by_published["norm"], "epochs": str(epochs)}
for name, value in numbers.items():
    glue(f"regions_{name}", value, display=False)
tables = {"ways": ways, "final": final, "checks_c4": checks, "checks_c5": search_checks, "published": differences}
lists = {name: frame.to_dict("records") for name, frame in tables.items()}
record = run.finish(**numbers, **lists, estimates_c4=estimates_c4, estimates_c5=estimates_c5)

# %% [markdown]
# ```{admonition} Summary
# The verdict on claim C4 is *{glue:text}`regions_c4`* on these data: by norm score {glue:text}`regions_panels_norm`
# panels pass. By effect score it would be *{glue:text}`regions_c4_effect`* ({glue:text}`regions_panels_effect`), by
# additive ridge *{glue:text}`regions_c4_ridge`* ({glue:text}`regions_panels_ridge`). That on claim C5 is
# *{glue:text}`regions_c5`*: search among modules chosen by norm score ends with significantly more hypervolume than
# Stage-Full in {glue:text}`regions_Stage-Full`, than Layer-Full in {glue:text}`regions_Layer-Full`, than Layer-Insight
# in {glue:text}`regions_Layer-Insight`; by effect score it would be *{glue:text}`regions_c5_effect`*. The bundled
# labels come from surrogates, and the same surrogates judge what was built from them; whether half of a cluster
# improves its region, the published predictors say the same as the surrogates for {glue:text}`regions_judges` clusters,
# and with all labels theirs the verdict on C4 would be *{glue:text}`regions_c4_published`*.
# ```
#
# ## Projects
#
# 1. Run this notebook with your own equation for the fast end, for example
#    `-y 'regions: {fast: "power(acc, 4) / {latency}", balanced: ..., accurate: ...}'`. Does the cluster move left? What
#    does that do to the hypervolume of Unit-Reduce, and to the first column of its gains?
# 2. Which clusters dominate nothing and are all new? Where do they lie?
# 3. Give NSGA-II the union of the reduced spaces: what would you have to write for it to draw from a `ReducedSpace`?
#
# ## What this page was built with

# %%
run.provenance()
