"""What became of the aims, on rows whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.trained import aims, best_networks, effects, ranking, ranking_results, search_results

FOREST, ENSEMBLE = aims.FOREST_GRAF.name, aims.ENSEMBLE.name


def leads(at_300: tuple[float, float, float]) -> pd.DataFrame:
    rows = [("mean", size, FOREST, *(at_300 if size == 300 else (0.1, 0.05, 0.15)), 5) for size in aims.SIZES]
    return pd.DataFrame(rows, columns=["source", "size", "other", "mean", "low", "high", "seeds"])


def ranks(at_400: float) -> pd.DataFrame:
    values = {100: 0.951, 400: at_400}
    rows = [(effects.ACCEL, "acc", ENSEMBLE, size, seed, ranking.HEAD, value + 0.002 * (seed - 1))
            for size, value in values.items() for seed in range(3)]  # fmt: skip
    return pd.DataFrame(rows, columns=ranking.COLUMNS)


def units(lowest: float) -> pd.DataFrame:
    rows = [(unit, seed, value) for unit, value in enumerate((0.98, lowest)) for seed in range(3)]
    return pd.DataFrame(rows, columns=["unit", "seed", "srcc"])


def built(ours: float, theirs: float) -> pd.DataFrame:
    rows = [(source, aims.MIDDLE, seed, name, share * (1 + seed))
            for source in best_networks.GRAPHS for seed in range(3)
            for name, share in ((aims.OURS, ours), (aims.THEIRS, theirs))]  # fmt: skip
    return pd.DataFrame(rows, columns=["source", "budget", "seed", "name", "built_rank"])


def test_all_are_met_and_shown_but_where_there_is_no_interval() -> None:
    table = aims.table_of_aims(leads((0.1, 0.05, 0.15)), ranks(0.99), units(0.95), built(0.0005, 0.001))
    assert table["met"].all() and table["value"].tolist()[-3:] == pytest.approx([9, 0, 0.5])
    assert table["shown"].tolist() == [True] * 3 + [False, True] + [True] + [False, False, True]  # .951 +- .005 at 100
    assert aims.in_words(table).startswith("9 of 9 aims are met, 6 ")


def test_what_is_missed_is_named() -> None:
    table = aims.table_of_aims(leads((-0.01, -0.05, 0.03)), ranks(0.97), units(0.7), built(0.004, 0.002))
    assert table["met"].tolist() == [True, False, True, True, False, False, False, False, False]
    assert table["value"].tolist()[-3:] == pytest.approx([0, 9, 2.0])  # medians are at twice the share: .8 % and .4 %
    words = aims.in_words(table)
    assert all(aim in words for aim in table.loc[~table["met"], "aim"])
    assert not any(aim in words for aim in table.loc[table["met"], "aim"])


def test_committed_rows_have_all_that_aims_need() -> None:
    rows = ranking_results.with_kinds(ranking.SECTION.committed())
    table = aims.table_of_aims(
        ranking_results.leads_of(rows, ENSEMBLE, [FOREST]), rows, units(0.95),
        search_results.with_shares(best_networks.SECTION.committed().query("source != 'accel-nasbench'"),
                                   pd.Series(26206, index=best_networks.GRAPHS)))  # fmt: skip
    assert np.isfinite(table["value"]).all() and len(table) == 9
