"""Zero-cost proxies by themselves."""

import pandas as pd
import pytest
import scipy

import autobuild_lib as ab
from autobuild_book.chapters.peers import (
    contests,
    proxy_ranks,
)


class TestProxiesByThemselves:
    @pytest.fixture
    def found(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        ours = [contest for contest in contests.contests_that_exist() if contest.proxies]
        return proxy_ranks.ranks_by_proxy(ours), proxy_ranks.ranks_at_full_resolution(ours)

    def test_labels_and_proxies_of_the_same_networks_are_paired(self, found: tuple[pd.DataFrame, ...]) -> None:
        alone, _ = found
        own = alone[(alone.family == "ofa_pn") & (alone.proxy == "synflow") & (alone.against == "latency_gpu")].iloc[0]
        proxies, table = ab.data.load("proxies_ofa_pn"), ab.data.load("ofa_pn")
        place = {architecture: row for row, architecture in enumerate(table.architectures)}
        labels = table.labels["latency_gpu"].to_numpy()[[place[one] for one in proxies.architectures]]
        truth = scipy.stats.spearmanr(proxies.labels["synflow"], labels).statistic
        assert own.srcc == pytest.approx(truth) and own.networks == 500 and own.low < own.srcc < own.high

    def test_counting_ranks_the_same_at_every_resolution(self, found: tuple[pd.DataFrame, ...]) -> None:
        _, full = found
        assert len(full) == 20 and (full.networks == 30).all()
        assert (full[full.proxy == "parameters"].srcc == 1).all() and (full[full.proxy == "macs"].srcc > 0.99).all()
