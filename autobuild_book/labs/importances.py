"""Lab 2: train a predictor and read its FE-MLP."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import kendalltau, spearmanr

from autobuild_book.labs import judging
from autobuild_book.labs.answers import check, equation, evaluated, filled_in, instance, numbers, read_numbers
from autobuild_book.labs.hints import IMPORTANCES as HINTS
from autobuild_book.labs.notebooks import Checks
from autobuild_book.labs.verdicts import AnswerError, Array, Mistake, Right, close, compare, require
from autobuild_lib.data import Table
from autobuild_lib.graphs import layer_graphs
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.features import Category
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target

DEVICES = ("gpu", "cpu", "npu")
REPLACED = (("e6", "e3"), ("e6", "e4"), ("k7", "k3"), ("k7", "k5"))  # in exercise 7
LEAST_SRCC = 0.6  # of a trained predictor's head on test networks


class Lab(Checks):
    """The checks of lab 2, and what its exercises are about."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        rng = np.random.default_rng(seed)
        self.table = judging.table(seed)
        self.device = str(rng.choice(DEVICES))
        self.old, self.new = (str(text) for text in rng.choice(REPLACED))
        drawn = rng.choice(len(self.table), 101, replace=False)
        self.network, *self.networks = (self.table.architectures[row] for row in drawn)  # of exercises 6 and 7

    def layers(self, predictor: Predictor, network: Architecture) -> tuple[Array, str]:
        """Return what the FE-MLP looks up for a network's layers, [layers, categories], and how layers are pooled."""
        _need(predictor)
        with torch.no_grad():
            values = predictor.network.features(layer_graphs(predictor.space, [network]).codes)[0].double().numpy()
        return values, predictor.network.config.pooling

    @property
    def right_target(self) -> Target:
        """Percentage points of accuracy per millisecond on the device."""
        return Target(f"acc * 100 / latency_{self.device}")

    @check
    def split(self, train: Any, test: Any) -> Right:
        """Check exercise 1: any random split of the table into 90 % to train and the rest to test."""
        for part in (filled_in(train), filled_in(test)):
            instance(part, Table, "a table: a part of the split")
        training, held_out, whole = set(train.architectures), set(test.architectures), self.table.architectures
        require(training | held_out <= set(whole), "Some networks are not from this table.", "other table")
        both = len(training & held_out)
        require(not both, f"{both} networks are in both parts: the test would be too easy.", "overlap")
        require(len(training) >= len(held_out), "The large part is to train on, the small one to test.", "swapped")
        share = len(training) / len(whole)
        require(
            abs(share - 0.9) < 0.01, f"The training part has {share:.0%} of the table; 90 % are asked for.", "share"
        )
        require(len(training) + len(held_out) == len(whole), "Some networks are in neither part.", "left out")
        for rows in (whole[: len(train)], whole[-len(train) :]):
            require(train.architectures != rows, "These rows stand side by side in the table. A file may be sorted: "
                    "draw at random.", "not random")  # fmt: skip
        return Right(f"{len(train):,} networks to train, {len(test):,} to test, none in both.")

    @check
    def target(self, answer: Any) -> Right:
        """Check exercise 2: any equation for percent of accuracy per millisecond on the device."""
        labels = self.table.labels
        values, right = evaluated(equation(answer), labels), evaluated(self.right_target, labels)
        acc, latency = labels["acc"].to_numpy(), labels[f"latency_{self.device}"].to_numpy()
        mistakes = [
            Mistake("fraction", acc / latency),
            Mistake("turned round", latency / acc),
            Mistake("turned round", latency / (100 * acc)),
            Mistake("product", acc * 100 * latency),
            Mistake("product", acc * latency),
            Mistake("difference", acc * 100 - latency),
            Mistake("difference", acc - latency),
            Mistake("no latency", acc * 100),
            Mistake("no latency", acc),
            Mistake("latency alone", latency),
            Mistake("latency alone", 1 / latency),
            Mistake("per mille", acc * 1000 / latency),
            Mistake("logarithm", np.log(acc * 100 / latency)),
            *(Mistake("device", acc * times / labels[f"latency_{other}"])
              for other in DEVICES if other != self.device for times in (1, 100)),
        ]  # fmt: skip
        try:
            return compare(
                values, right, "However it is written, it is the same target.", mistakes, HINTS["target"], 1e-9
            )
        except AnswerError as error:
            if error.mistake not in ("", "rounded"):
                raise
        raise AnswerError(f"For the first network it gives {values[0]:.4g}; {right[0]:.4g} would be right.")

    @check
    def predictor(self, answer: Any, test: Any) -> Right:
        """Check exercise 3: any predictor of the target that ranks test networks, and was not trained on them."""
        instance(answer, Predictor, "a predictor, which ab.fit returns")
        instance(test, Table, "the test part: a table")
        require(
            answer.space == test.space, f"It is for networks of {answer.space.name}; the test part has others.", "space"
        )
        right = evaluated(self.right_target, test.labels)
        learnt = evaluated(Target(answer.target), test.labels)
        require(
            close(learnt, right, 1e-9),
            f"It has learnt {answer.target}, which is not the target of exercise 2.",
            "target",
        )
        trained = answer.provenance.get("data", {"part": ""})
        require(
            not trained["part"].startswith("test"),
            "It was trained on the test part: what should it be tested on?",
            "test",
        )
        require(
            trained["part"] != "all",
            "It was trained on the whole table, the test part included. Use the other part.",
            "all",
        )
        correlation = srcc(answer.predict(test.architectures), right)
        require(correlation >= LEAST_SRCC, f"On test networks its SRCC is {correlation:.2f}, at least {LEAST_SRCC} is "
                'needed: give it more rows or epochs, or preset="tuned".', "training")  # fmt: skip
        return Right(f"On test networks the SRCC of its head is {correlation:.3f}.")

    @check
    def srcc_by_hop(self, answer: Any, predictor: Any, train: Any, test: Any) -> Right:
        """Check exercise 4: the rank correlation of the norms of every hop with the target, on test networks."""
        filled_in(answer)
        _need(predictor, train, test)
        if isinstance(answer, pd.DataFrame) and "srcc" in answer:
            answer = answer["srcc"]
        correlations = read_numbers(answer)
        hops = predictor.network.config.hops + 1
        truth = Target(predictor.target).evaluate(test.labels)
        right, head = _correlations(predictor, test), srcc(predictor.predict(test.architectures), truth)
        if close(correlations, np.array([*right, head])):
            correlations = correlations[:hops]
        count = f"{hops} hops have {hops} numbers, hop 0 first; your answer has {len(correlations)}."
        require(len(correlations) == hops, count, "head" if close(correlations, np.array([head])) else "count")
        norms = predictor.norms(test.architectures)
        mistakes = [
            Mistake("pearson", [np.corrcoef(level, truth)[0, 1] for level in norms]),
            Mistake("training part", _correlations(predictor, train)),
            Mistake("reversed", right[::-1]),
            Mistake("mean norms", np.mean(norms, axis=1)),
            Mistake("kendall", [kendalltau(level, truth).statistic for level in norms]),
            Mistake("accuracy", [srcc(level, test.labels["acc"].to_numpy()) for level in norms]),
            Mistake("latency", [srcc(level, test.labels[f"latency_{self.device}"].to_numpy()) for level in norms]),
            Mistake("p-value", [spearmanr(level, truth).pvalue for level in norms]),
            Mistake("squared", right**2),
            Mistake("loss", 1 - right),
        ]
        places = [f"The SRCC of hop {hop}" for hop in range(hops)]
        return compare(
            correlations, right, "Each hop is a ranking of its own.", mistakes, HINTS["srcc_by_hop"], places=places
        )

    @check
    def importance(self, answer: Any, predictor: Any, feature: str) -> Right:
        """Check exercise 5: the importance of each value of a layer feature, in the order of the feature's values."""
        filled_in(answer)
        _need(predictor)
        categories = {category.name: category for category in predictor.space.categories}
        of_feature = {name: _scores(predictor, category) for name, category in categories.items()}
        category, scores = categories[feature], of_feature[feature]
        features = predictor.network.features
        with torch.no_grad():
            vectors = features.embeddings[feature]()[0, : len(category.values)].double()
            bias = float(features.scores[feature].bias[0, 0, 0])
        others = [np.abs(row) for name, row in of_feature.items() if name != feature and len(row) == len(scores)]
        right = np.abs(scores)
        mistakes = [
            Mistake("signed", scores),
            Mistake("reversed", right[::-1]),
            Mistake("no bias", np.abs(scores - bias)),
            Mistake("vectors", vectors.norm(dim=1).numpy()),
            Mistake("divided", right / right.sum()),
            Mistake("divided", right / right.max()),
            Mistake("square", scores**2),
            Mistake("relu", scores.clip(0)),
            *(Mistake("other feature", row) for row in others),
        ]
        praise = f"This predictor looks most at {feature} = {category.values[int(right.argmax())]}."
        places = [f"The importance of {feature} = {value}" for value in category.values]
        values = numbers(answer, len(scores), category.values)
        return compare(values, right, praise, mistakes, HINTS["importance"], places=places)

    @check
    def hop0_norm(self, answer: Any, predictor: Any, network: Any) -> Right:
        """Check exercise 6: the L1 norm of a network's graph embedding at hop 0, added up from importances."""
        filled_in(answer)
        _need(predictor)
        instance(network, Architecture, "an architecture")
        norm = numbers(answer, 1)
        every_hop = predictor.norms([network])[:, 0]
        names = [category.name for category in predictor.space.categories]
        nodes, pooled = self.layers(predictor, network)
        count = len(nodes)
        pooling = {"sum": nodes.sum() / count, "mean": nodes.sum()}
        e_and_k = nodes[:, [names.index("e"), names.index("k")]].sum()
        divisor = 1 if pooled == "sum" else count
        mistakes = [
            Mistake("pooling", pooling.get(pooled, nodes.sum())),
            Mistake("e and k", e_and_k / divisor),
            Mistake("e and k, pooling", e_and_k / (count if pooled == "sum" else 1)),
            Mistake("first layer", nodes[0].sum()),
            Mistake("last layer", nodes[-1].sum()),
            Mistake("L2", np.linalg.norm(nodes.sum(0) / divisor)),
            Mistake("L2 of all", np.linalg.norm(nodes)),
            Mistake("mean of all", nodes.mean()),
            Mistake("largest", nodes.sum(0).max() / divisor),
            Mistake("maximum", nodes.max(0).sum()),
            *(Mistake("later hop", level) for level in every_hop[1:]),
        ]
        hints = {name: hint.format(pooling=repr(pooled)) for name, hint in HINTS["hop0_norm"].items()}
        praise = "At hop 0 a network is nothing but the sum of its layers."
        return compare(norm, every_hop[0], praise, mistakes, hints)

    @check
    def change(self, answer: Any, predictor: Any, networks: Any) -> Right:
        """Check exercise 7: the mean change of the prediction when every old value becomes the new one."""
        filled_in(answer)
        _need(predictor)
        difference, chosen = numbers(answer, 1), judging.read_networks(networks)
        before = predictor.predict(chosen)
        change = {
            pair: _replaced(predictor, chosen, *pair) - before for pair in [(self.old, self.new), *REPLACED, *BACK]
        }
        each = change[self.old, self.new]
        right, texts = each.mean(), [str(network) for network in chosen]
        first = predictor.space.parse
        once = predictor.predict([first(text.replace(self.old, self.new, 1)) for text in texts]) - before
        touched = np.array([self.old in text for text in texts])
        mistakes = [
            Mistake("sign", -right),
            Mistake("sum", each.sum()),
            Mistake("standard deviations", right / predictor.label_sd),
            Mistake("backwards", change[self.new, self.old].mean()),
            Mistake("backwards", -change[self.new, self.old].mean()),
            Mistake("after", (before + each).mean()),
            Mistake("before", before.mean()),
            Mistake("first network", each[0]),
            Mistake("once", once.mean()),
            Mistake("median", np.median(each)),
            Mistake("magnitudes", np.abs(each).mean()),
            Mistake("ratio", (before + each).mean() / before.mean()),
            Mistake("relative", 100 * right / before.mean()),
            Mistake("relative", right / before.mean()),
            *(Mistake("other value", change[pair].mean()) for pair in (*REPLACED, *BACK)
              if pair not in ((self.old, self.new), (self.new, self.old))),
        ]  # fmt: skip
        if not touched.all():
            mistakes.append(Mistake("changed only", each[touched].mean()))
        hints = {name: hint.format(old=self.old, new=self.new) for name, hint in HINTS["change"].items()}
        praise = "This is an effect, with a sign and a unit. An importance has neither."
        return compare(difference, right, praise, mistakes, hints)


BACK = tuple((new, old) for old, new in REPLACED)


def _need(predictor: Any, *parts: Any) -> None:
    """Refuse what exercises 1 and 3 have not made."""
    require(isinstance(predictor, Predictor), "There is no predictor yet: do exercise 3 first.", "empty")
    require(all(isinstance(part, Table) for part in parts), "There are no two parts yet: do exercise 1 first.", "empty")


def _correlations(predictor: Predictor, table: Table) -> Array:
    truth = Target(predictor.target).evaluate(table.labels)
    return np.array([srcc(level, truth) for level in predictor.norms(table.architectures)])


def _scores(predictor: Predictor, category: Category) -> Array:
    with torch.no_grad():
        scores: Array = predictor.network.features.value_scores(category)[0, : len(category.values)].double().numpy()
    return scores


def _replaced(predictor: Predictor, networks: Sequence[Architecture], old: str, new: str) -> Array:
    return predictor.predict([predictor.space.parse(str(network).replace(old, new)) for network in networks])
