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
# (your-own-evaluator)=
# # Your own evaluator
#
# A search asks for labels of architectures that nobody has evaluated yet. Whatever can answer is an *evaluator*: a
# surrogate, a program that trains networks, a phone on the desk. This page writes one that really trains networks, the
# perceptrons of [the page on your own space](your-own-space), and uses it in a search that can be killed at any time.
#
# **What you will learn**
#
# - what the library expects of an evaluator: one method, one table;
# - how to search with it, and what the log does when a search is killed, or when an evaluation fails;
# - what to mind when evaluations run in several processes.

# %% [markdown]
# ## Set-up
#
# The evaluator of this page belongs to the perceptrons, so `data` and `space` are not used; they are here because all
# notebooks share them.

# %% tags=["parameters"]
profile = "standard"  # quick, standard or paper
seed = 12345
data = "bundled"
space = ""
start = 16  # random architectures
rounds = 3  # of mutations of the front
mutations = 8  # in each round
out = "artifacts/standard"

# %% [markdown]
# `Run` refuses unknown parameters and notes what this page is made from.

# %%
from dataclasses import dataclass

import pandas as pd
from myst_nb import glue

import autobuild_lib as ab
from autobuild_book.chapters.your_space import figures, mlps
from autobuild_book.runs.recording import Run
from autobuild_lib.search import StageMutation, costs, evolve

run = Run.start("10_your_own_evaluator", globals())

# %% [markdown]
# ## An evaluator
#
# Any callable will do that takes a list of architectures and returns a `DataFrame` with one row for each, in their
# order, and one column for each label. There is no class to derive from. A frozen dataclass keeps the settings; here
# the seed of the trainings, which is not one of those behind the table.

# %%
@dataclass(frozen=True)
class TrainPerceptrons:
    """Accuracy on 500 validation images after one training, and the number of parameters."""

    seed: int

    def __call__(self, architectures: list[ab.Architecture], /) -> pd.DataFrame:
        networks = [mlps.train(architecture, self.seed) for architecture in architectures]
        return pd.DataFrame({
            "accuracy": [mlps.accuracy(network) for network in networks],
            "parameters": [mlps.count_parameters(architecture) for architecture in architectures],
        })

# %% [markdown]
# Tried on two architectures of the table:

# %%
table = run.uses(ab.data.load("digit_mlps"))
evaluator = TrainPerceptrons(seed)
evaluator(list(table.architectures[:2])).assign(in_the_table=table.labels.accuracy[:2])

# %% [markdown]
# ## A search that is killed
#
# The search looks for the front of accuracy against parameters. `workers=0` evaluates one architecture at a time, and
# each is in the log as soon as it is finished. To see what a kill does, this evaluator raises what Ctrl-C would, in the
# middle of the work.
#
# The log also remembers *what* evaluated: with another evaluator, or another seed, the same log is an error, and no old
# label passes for a new one. By default that is the name of an evaluator and a digest of what it uses: its code and
# settings, global variables, arrays to the last byte, and the packages. Files that it reads do not count. Where Python
# cannot tell, as with an open connection, a log that is there is refused. An attribute `fingerprint`, a text that
# changes when the labels would, stands for all that. When it is killed does not change any label.

# %%
@dataclass
class Killed:  # evaluates with another evaluator, until its time is up
    inner: TrainPerceptrons
    left: int

    @property
    def fingerprint(self) -> str:
        return ab.search.fingerprint(self.inner)

    def __call__(self, architectures: list[ab.Architecture], /) -> pd.DataFrame:
        if self.left < 1:
            raise KeyboardInterrupt
        self.left -= 1
        return self.inner(architectures)

# %% [markdown]
# The search, once until it is killed:

# %%
whole = ab.ReducedSpace.full(table.space)  # or reduced = corpus.top(k=25): a search in the best modules only
log = run.folder / "search.jsonl"
log.unlink(missing_ok=True)  # so that this page shows the same each time; leave it out to go on where you were
search = {"maximise": "accuracy", "minimise": "parameters", "seed": seed, "log": log, "workers": 0}
search |= {"start": start, "rounds": rounds, "mutations": mutations, "progress": False}
try:
    evolve(StageMutation(whole), Killed(evaluator, left=start // 2), **search)
except KeyboardInterrupt:
    print("killed")
kept = len(log.read_text().splitlines())
print(f"{kept} finished evaluations are in the log; one of them is:\n{log.read_text().splitlines()[0]}")

# %% [markdown]
# ## The same call again
#
# It takes what the log has and evaluates the rest. A counter shows how often the evaluator was really asked.

# %%
counted = Killed(evaluator, left=10_000)
evaluated = run.table("found", lambda: evolve(StageMutation(whole), counted, **search))
asked = 10_000 - counted.left
print(f"{len(evaluated)} evaluations, {len(evaluated) - asked} of them from the log, {asked} new")

# %% [markdown]
# What such a search looks for is the front: what nothing else beats in both. From the table of its evaluations, the
# lightest first: an architecture is on the front if it is better than all that are lighter.

# %%
by_size = evaluated.sort_values(["parameters", "accuracy"], ascending=[True, False])
lighter = by_size.accuracy.cummax().shift(fill_value=-1)  # the best accuracy with fewer parameters
front = by_size[by_size.accuracy > lighter]
points = costs(evaluated, "accuracy", "parameters")
assert set(front.parameters) == set(evaluated.parameters[ab.search.front(points)])
front[["accuracy", "parameters", "round"]]

# %% [markdown]
# What it evaluated, over the table of random architectures:

# %% tags=["remove-output"]
glue("figure_own_search", figures.search_beside_table(table.labels, evaluated, "accuracy", "parameters"))

# %% [markdown] tags=["opening"]
# ```{glue:figure} figure_own_search
# ---
# name: figure-own-search
# alt: >-
#   Scatter of accuracy against the number of parameters. Grey points are the table; coloured points, one colour per
#   round, are what the search evaluated.
# ---
#
# Accuracy on 500 validation images against the number of parameters. Grey: the table, means of two trainings.
# Coloured: architectures that the search trained once each, by round. A single training is noisier than the table, and
# the search chose by the same images, so its best are a little too good. Measured here.
# ```

# %% [markdown]
# ## An evaluation that fails
#
# A network may diverge, a device may be away. What an evaluator raises costs one architecture: the error goes into the
# log and the row stays without labels. It is not tried again, since the same call would fail again, unless it says
# `retry_failed=True`.

# %%
def sometimes(architectures: list[ab.Architecture], /) -> pd.DataFrame:
    """Refuse networks with tanh."""
    if any("tanh" in text for text in map(str, architectures)):
        raise RuntimeError("out of tanh")
    return evaluator(architectures)

few = sorted(table.architectures[:6], key=str)
few += [architecture for architecture in table.architectures if "tanh" not in str(architecture)][:2]
tried = ab.search.evaluate_all(few, sometimes, workers=0, progress=False)
tried

# %% [markdown]
# ## In several processes
#
# With `workers=4` architectures go to four processes, one at a time each. They get the evaluator by pickling, so it
# must be a function or an object of a module that can be imported there (a file `my_labels.py`), not of a notebook
# cell. On the command line that is `autobuild search --evaluator my_labels:evaluate --workers 4`, see
# [rerunning](rerunning). Labels do not depend on the number of processes if the evaluator takes its randomness from a
# seed, as this one does.
#
# ## Checks
#
# No architecture was evaluated twice, nothing that the log had was asked for again, and what failed is left out.

# %%
assert kept == start // 2 and asked == len(evaluated) - kept
assert evaluated.architecture.is_unique and len(evaluated) == start + rounds * mutations
failed = tried.accuracy.isna()
assert list(failed) == ["tanh" in text for text in map(str, tried.architecture)]

# %% [markdown]
# The same seed gives the same label on one machine. Other processors round differently: trainings behind the bundled
# table, made once more here, beside the spread between its seeds.

# %%
from autobuild_book.chapters.shared import measured_again
from autobuild_book.chapters.your_space import experiment

again = run.table("again", experiment.measure_again)
print(measured_again.in_words(again))
again

# %% [markdown]
# The numbers of the summary come from `metrics.json`.

# %%
numbers = {"evaluations": len(evaluated), "from_the_log": kept, "asked": asked}
numbers |= {"best_accuracy": float(evaluated.accuracy.max())}
run.finish(**numbers, differences=measured_again.for_metrics(again))
for name, number in numbers.items():
    glue(f"evaluator_{name}", number, display=False)

# %% [markdown]
# ```{admonition} Summary
# An evaluator is a callable from architectures to a table. Of {glue:text}`evaluator_evaluations` evaluations,
# {glue:text}`evaluator_from_the_log` were finished before the search was killed; the same call then made the other
# {glue:text}`evaluator_asked` and no more. The best accuracy it saw is {glue:text}`evaluator_best_accuracy:.3f`.
# ```
#
# ## Exercises
#
# ```{exercise} Seconds as a label
# :label: exercise-seconds-as-a-label
#
# Add the label `seconds`: how long a training takes. Is it a good target on a machine that does other things, too?
# ```
#
# ```{solution} exercise-seconds-as-a-label
# :class: dropdown
#
# It changes from run to run, and with what else runs. Take the processor's time (`time.process_time`) instead of the
# clock's, and the median of several runs in orders of their own, as [your machine](your-machine) does; then look first
# at how well two halves of the measurements agree.
# ```
#
# ```{exercise} Two workers
# :label: exercise-two-workers
#
# Search with `workers=2`. What happens if the evaluator stays in the notebook, and what if it stands in `my_labels.py`?
# ```
#
# ```{solution} exercise-two-workers
# :class: dropdown
#
# From the notebook nothing is evaluated: the processes import modules, and a cell is in none. `BrokenProcessPool` names
# the architectures that were at work, and says that the work must be of a module. With `from my_labels import evaluate`
# it runs, and gives the labels of a single process.
# ```
#
# ```{exercise} A better start
# :label: exercise-better-start
#
# Search in the best modules of [your own space](your-own-space), `StageMutation(corpus.top(k=25))`, instead of the
# whole space. How much better is a random start there?
# ```
#
# ```{solution} exercise-better-start
# :class: dropdown
#
# Sixteen random networks, trained once each, have a mean accuracy of 0.771 in the whole space, 0.934 in the 25 best
# modules of each unit by norm score, and 0.952 by effect score:
#
# ~~~python
# for space in (ab.ReducedSpace.full(table.space), corpus.top(k=25)):
#     print(sum(mlps.accuracy(mlps.train(one, 1)) for one in space.sample(16, seed=1)) / 16)
# ~~~
#
# That is one draw. The search that follows closes part of the gap, since its mutations find good modules as well.
# ```
#
# ## What this page was built with

# %%
run.provenance()
