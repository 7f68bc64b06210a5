"""The once-for-all families: sizes, texts, resolutions."""

import numpy as np
import pytest

import autobuild_lib as ab


def test_sizes_of_the_ofa_spaces_are_exact() -> None:
    contents = 9**2 + 9**3 + 9**4
    assert contents == 7371
    assert ab.spaces.ofa_mbv3().size == 7371**5
    assert ab.spaces.ofa_pn().size == 7371**5 * 9
    assert ab.spaces.ofa_mbv3(resolutions=(192, 224)).size == 2 * 7371**5
    assert sum(codec.size for codec in ab.spaces.ofa_mbv3().codecs) == 36_855


def test_authors_lists_and_text_of_ofa() -> None:
    stages = [["mbconv3_e6_k7", "mbconv3_e3_k3"]] * 5
    architecture = ab.spaces.ofa_mbv3().from_lists(stages, resolution=224)
    assert str(architecture) == "resolution224|" + "|".join(["e6_k7,e3_k3"] * 5)
    assert architecture.to_lists() == stages and architecture.global_features == {"resolution": 224}
    assert ab.spaces.ofa_mbv3().from_lists(stages) == architecture  # the only resolution may be left out


def test_adopt_between_resolutions() -> None:
    one, three = ab.spaces.ofa_mbv3(), ab.spaces.ofa_mbv3(resolutions=(192, 208, 224))
    for architecture in one.sample(np.random.default_rng(0), 10):
        adopted = three.adopt(architecture)
        assert adopted.space == three and str(adopted) == str(architecture) and one.adopt(adopted) == architecture
        np.testing.assert_array_equal(three.to_codes([architecture])[0], list(adopted.code))
    other = three.from_lists([["mbconv3_e3_k3"] * 2] * 5, resolution=192)
    assert other not in one
    with pytest.raises(ab.SpaceError, match=r"resolution: value 192.0 .* 224"):
        one.adopt(other)
    with pytest.raises(ab.SpaceError, match="'ofa_mbv3' given to space 'ofa_pn'"):
        ab.spaces.ofa_pn().adopt(architecture)


def test_categories_and_widths_of_ofa() -> None:
    found = [(c.name, len(c.values), c.width) for c in ab.spaces.ofa_pn(resolutions=(192, 208, 224)).categories]
    assert found == [("unit", 6, 3), ("index", 4, 2), ("op", 1, 2), ("e", 3, 2), ("k", 3, 3), ("resolution", 3, 3)]
    assert ab.spaces.ofa_mbv3(resolutions=(192, 208, 224)).categories[-1].scaled == (0.0, 0.5, 1.0)


def test_global_features_are_checked() -> None:
    space, stages = ab.spaces.ofa_mbv3(resolutions=(192, 224)), [["mbconv3_e3_k3"] * 2] * 5
    with pytest.raises(ab.SpaceError, match=r"'resolution' is missing; choose from \[192.0, 224.0\]"):
        space.from_lists(stages)
    with pytest.raises(ab.SpaceError, match=r"unknown global features \['size'\]; it has \['resolution'\]"):
        space.from_lists(stages, resolution=192, size=3)
    with pytest.raises(ab.SpaceError, match="value '224' is not allowed"):
        space.from_lists(stages, resolution="224")
    with pytest.raises(ab.SpaceError, match=r"resolutions \[225\]; .* 128 to 224 in steps of 4"):
        ab.spaces.ofa_mbv3(resolutions=(225,))


def test_resolutions_in_any_form_of_whole_numbers() -> None:
    plain = ab.spaces.ofa_mbv3(resolutions=(192, 224))
    for odd in ([192, 224], np.array([192, 224]), [192.0, np.int64(224)], range(192, 225, 32)):
        assert ab.spaces.ofa_mbv3(resolutions=odd) is plain
    for wrong in (224, "224", ["224"], [224.5], [True], [162]):
        with pytest.raises(ab.SpaceError, match="resolution"):
            ab.spaces.ofa_pn(resolutions=wrong)  # type: ignore[arg-type]


def test_resolutions_of_the_once_for_all_networks() -> None:
    space = ab.spaces.ofa_mbv3(resolutions=range(128, 225, 4))
    small = space.parse("resolution132" + "|e3_k3,e3_k3" * 5)
    assert space.size == 25 * 7371**5 and ab.networks.count_macs(small) < 1e8
    assert ab.spaces.ofa_mbv3(resolutions=[192, 224]) == ab.spaces.ofa_mbv3((192, 224))
    for wrong in ([130], [228], [124], []):
        with pytest.raises(ab.SpaceError, match="128 to 224 in steps of 4"):
            ab.spaces.ofa_pn(resolutions=wrong)
    with pytest.raises(ab.SpaceError, match=r"resolution: value 132.0 .* 224"):
        ab.surrogate.ofa_mbv3().predict([small])
