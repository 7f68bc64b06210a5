"""What experts chose: read as published, and searches within it never leave it."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import autobuild_lib as ab
from autobuild_book.chapters.regions.insights import expert_insights, expert_mutation
from tests.helpers.mutations import move, pairs

FAMILIES = (ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn())
DEVICES = [(space, device) for space in FAMILIES for device in ("gpu", "cpu", "npu", "max_acc")]


def test_insights_are_those_of_the_source(reference: Path) -> None:
    source = json.loads((reference / "block_profile_insights.json").read_text())
    for family, name in (("mbv3", "ofa_mbv3"), ("pn", "ofa_pn")):
        devices = {key: entry for key, entry in source[family].items() if isinstance(entry, dict)}
        assert source[family]["default_min_layers"] is None and len(devices) == (5 if family == "mbv3" else 4)
        for device, entry in devices.items():
            ours = expert_insights(name, {"n10": "note10"}.get(device, device))
            assert [list(names) for names in ours.candidates] == entry["block_candidates"]
            assert list(ours.probability) == entry["stage_mutation_probability"]
            assert list(ours.max_layers) == entry.get("max_layers", source[family]["default_max_layers"])


@pytest.mark.parametrize(("space", "device"), DEVICES, ids=lambda value: getattr(value, "name", value))
def test_an_expert_space_is_never_left(space: ab.SequenceSpace, device: str) -> None:
    insights = expert_insights(space.name, device)
    reached = [set[str]() for _ in space.units]
    for before, after in pairs(expert_mutation(space, device), 1000):
        for architecture in (before, after):
            assert architecture in space
            for unit, layers in enumerate(architecture.to_lists()):
                assert len(layers) <= insights.max_layers[unit]
                reached[unit].update(layers)
        made = [move(a, b) for a, b in zip(before.to_lists(), after.to_lists(), strict=True)]
        assert set(made) != {"none"}
    assert reached == [set(names) for names in insights.candidates]


def test_stages_of_an_expert_space_mutate_as_often_as_stated() -> None:
    changed = np.zeros(5)
    for before, after in pairs(expert_mutation(FAMILIES[0], "npu"), 4000):
        changed += [a != b for a, b in zip(before.to_lists(), after.to_lists(), strict=True)]
    p = np.array([0.25, 0.25, 0.25, 0.5, 0.5])
    for count, own in zip(changed, p / (1 - np.prod(1 - p)), strict=True):
        assert binomtest(int(count), 4000, own).pvalue > 1e-3


def test_unknown_families_and_devices_list_the_known(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ValueError, match="'toy'; choose from ofa_mbv3, ofa_pn"):
        expert_mutation(toy, "gpu")
    with pytest.raises(ValueError, match=r"'note10'; .* npu, gpu, cpu, max_acc"):
        expert_mutation(FAMILIES[1], "note10")
    assert expert_mutation(FAMILIES[0], "note10").depths[0] == range(2, 4)
