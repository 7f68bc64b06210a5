"""Scores of all modules of MobileNetV3: ours, against one module (norm) or one host network (effect) at a time."""

import time
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data

import autobuild_lib as ab
from autobuild_lib.graphs import layer_graphs_from_codes
from tests.benchmarks.plain import PlainPredictor
from tests.helpers.edges import edge_index

HOSTS = 16


def _predictor() -> ab.Predictor:
    table = ab.data.load("ofa_mbv3").split(0.9, seed=12345)[0]
    return ab.fit(table.space, table, "acc", epochs=1, progress=False)


def norm_scores() -> dict[str, Any]:
    """Embed every module of every unit: all at once, or each as a PyTorch Geometric graph of its own."""
    predictor = _predictor()
    ab.score_units(predictor)
    started = time.perf_counter()
    corpus = ab.score_units(predictor)
    ours = time.perf_counter() - started
    model, space = PlainPredictor(predictor.space).eval(), predictor.space
    started = time.perf_counter()
    with torch.inference_mode():
        for group in space.scoring_groups:
            for code in group.isolated(group.contents(), bytes(len(space.global_features))):
                graph = layer_graphs_from_codes(space, code[None])
                batch = torch.zeros(len(graph.codes), dtype=torch.int64)
                model(Data(x=graph.codes, edge_index=edge_index(graph), batch=batch))
    plain = time.perf_counter() - started
    return {"name": f"norm scores of {len(corpus):,} modules", "ours_s": ours, "baseline_s": plain}


def effect_scores() -> dict[str, Any]:
    """Put every module into the same hosts: sharing what hosts have in common, or predicting whole architectures."""
    predictor = _predictor()
    space = predictor.space
    started = time.perf_counter()
    corpus = ab.score_units(predictor, "effect", hosts=HOSTS)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    for scored, group in zip(corpus.groups, space.scoring_groups, strict=True):
        for host in space.sample_codes(np.random.default_rng([0, 2]), HOSTS):
            hosts = np.repeat(host[None], len(scored.codes), axis=0)
            predictor.predict(space.from_codes(group.put(hosts, scored.codes)))
    plain = time.perf_counter() - started
    name = f"effect scores of {len(corpus):,} modules in {HOSTS} hosts"
    return {"name": name, "ours_s": ours, "baseline_s": plain}


def best_networks() -> dict[str, Any]:
    """List the 1,000 networks of highest summed score out of 25^5: without enumerating them, or after adding up all."""
    reduced = ab.score_units(_predictor()).top(25)
    started = time.perf_counter()
    best = reduced.best(1000)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    sums = reduced.groups[0].scores
    for group in reduced.groups[1:]:
        sums = np.add.outer(sums, group.scores)
    chosen = np.argpartition(-sums.ravel(), 1000)[:1000]
    plain = time.perf_counter() - started
    assert np.isclose(reduced.scores(best).sum(), sums.ravel()[chosen].sum())
    return {"name": f"best {len(best):,} of {reduced.size:,} networks", "ours_s": ours, "baseline_s": plain}
