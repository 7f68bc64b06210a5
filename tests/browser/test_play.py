"""The page on which one builds a network agrees with the library, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("playwright", reason="make check-book installs it")

from playwright.sync_api import Page

import autobuild_lib as ab
from autobuild_book.play.predictors import TARGETS, load_trained
from autobuild_lib.surrogate import SPACES, load_bundled
from tests.browser.book import browser_page
from tests.browser.play_site import write_site

pytestmark = pytest.mark.browser

FRAME = 1000 / 60  # milliseconds
LABELS = (
    "([name, texts]) => texts.map((text) => play.families[name].surrogate.predict(play.families[name].parse(text)))"
)
JUDGED = """([name, target, texts]) => { const family = play.families[name];
  return texts.map((text) => Object.values(family.predictors[target].judge(family.parse(text))).flat()); }"""
SCORES = """([name, target, text]) => { const family = play.families[name], network = family.parse(text);
  return family.groups.map((_, group) => family.predictors[target].scores(group, network)); }"""
ALL_NORMS = "([name, target, group]) => Array.from(play.families[name].predictors[target].normScores(group))"
# Milliseconds that the page itself computed at each of some clicks, whatever else the machine does.
CLICKS = """() => Array.from(document.querySelectorAll("input[name=play-choice]"), (one) => one.click()).length"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


def show(page: Page, site: Path, hash_: str = "") -> list[str]:
    """Open the page anew; the list of errors grows while it is used."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("about:blank")
    page.goto(f"{site.as_uri()}{hash_}", wait_until="load")
    page.wait_for_selector(".play-unit")
    return errors


def text(page: Page) -> str:
    return page.locator("#play-text").inner_text()


def drawn(family: str, count: int, seed: int = 0) -> list[ab.Architecture]:
    rng = np.random.default_rng(seed)
    return [SPACES[family]().sample(rng) for _ in range(count)]


@pytest.mark.parametrize("family", SPACES)
class TestSameNumbers:
    def test_labels_predictions_and_norms_of_random_networks(self, page: Page, site: Path, family: str) -> None:
        networks = drawn(family, 500)
        texts = list(map(str, networks))
        show(page, site, f"#family={family}")
        labels = np.array(page.evaluate(LABELS, [family, texts]))
        assert np.allclose(labels, load_bundled(family).predict(networks), rtol=1e-4, atol=0)
        for place, target in enumerate(TARGETS):
            judged = np.array(page.evaluate(JUDGED, [family, place, texts]))[:, :6]
            predicted, norms = load_trained(family, target).predictor.predict_and_norms(networks)
            assert np.allclose(judged[:, 0], predicted, rtol=1e-4, atol=1e-4 * predicted.std())
            assert np.allclose(judged[:, 1:], norms.T, rtol=1e-4, atol=0)

    def test_norm_scores_of_all_contents(self, page: Page, site: Path, family: str) -> None:
        show(page, site, f"#family={family}")
        corpus = ab.score_units(load_trained(family, TARGETS[1]).predictor, progress=False)
        for number, group in enumerate(corpus.groups):
            here = np.array(page.evaluate(ALL_NORMS, [family, 1, number]))
            assert np.allclose(here, group.scores, rtol=1e-4, atol=1e-4 * group.scores.std())

    def test_scores_of_modules_and_their_ranks(self, page: Page, site: Path, family: str) -> None:
        trained, space = load_trained(family, TARGETS[0]), SPACES[family]()
        predictor = trained.predictor
        hosts = space.sample_codes(np.random.default_rng([0, 2]), 16)
        show(page, site, f"#family={family}")
        for network in drawn(family, 3, seed=1):
            here = page.evaluate(SCORES, [family, 0, str(network)])
            for scores, group in zip(here, space.scoring_groups, strict=True):
                changed = group.put(hosts, space.to_codes([network])[:, group.place])
                effect = (
                    predictor.predict(space.from_codes(changed)) - predictor.predict(space.from_codes(hosts))
                ).mean()
                assert scores["effect"] == pytest.approx(effect, rel=1e-3, abs=1e-4 * predictor.label_sd)
                assert 1 <= scores["effectRank"]["rank"] <= scores["of"] == group.count_contents()

    def test_the_best_content_has_rank_one(self, page: Page, site: Path, family: str) -> None:
        best = load_trained(family, TARGETS[0]).best
        show(page, site, f"#family={family}")
        for score, rank in (("norm", "normRank"), ("effect", "effectRank")):
            for place in range(3):
                joined = "|".join(contents[place] for contents in best[score])
                for scores in page.evaluate(SCORES, [family, 0, joined]):
                    shown = scores[rank] if score == "norm" else scores[rank]["rank"]
                    assert shown == place + 1 and (score == "norm" or scores[rank]["exact"])


def middle_of_three(page: Page) -> float:
    """Processor time of a click in milliseconds: the middle of three rounds of nine."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(one["value"] for one in metrics if one["name"] == "ScriptDuration"))

    rounds = []
    for _ in range(3):
        before, clicks = spent(), page.evaluate(CLICKS)
        rounds.append((spent() - before) / clicks)
    return sorted(rounds)[1]


class TestUse:
    def test_a_click_answers_within_one_frame(self, page: Page, site: Path) -> None:
        for family in SPACES:
            show(page, site, f"#family={family}")
            page.locator(".play-chip").nth(5).click()
            page.evaluate(CLICKS)
            assert 0 < middle_of_three(page) < FRAME

    def test_clicking_builds_a_network(self, page: Page, site: Path) -> None:
        errors = show(page, site, "#network=e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3")
        page.get_by_role("button", name="Unit 2, layer 2").click()
        page.get_by_label("e6 k7", exact=False).check()
        page.get_by_role("group", name="Layers of unit 4").get_by_label("4").check()
        ab.spaces.ofa_mbv3().parse(text(page))
        assert text(page) == "resolution224|e3_k3,e3_k3|e3_k3,e6_k7|e3_k3,e3_k3|e3_k3,e3_k3,e3_k3,e3_k3|e3_k3,e3_k3"
        assert "4 layers" in page.locator("#play-status").inner_text() and not errors

    def test_keys_alone_build_a_network(self, page: Page, site: Path) -> None:
        show(page, site, "#network=e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3")
        page.locator(".play-chip").first.focus()
        page.keyboard.press("Enter")
        for _ in range(5):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "play-choice":
                break
        page.keyboard.press("ArrowDown")
        assert text(page).startswith("resolution224|e3_k5,")

    @pytest.mark.parametrize("score", ["norm", "effect"])
    def test_buttons_take_the_best(self, page: Page, site: Path, score: str) -> None:
        show(page, site, f"#family=ofa_pn&target=acc&score={score}")
        best = load_trained("ofa_pn", "acc").best[score]
        page.get_by_role("button", name=f"best by {score}: take it for unit 5 and 6").click()
        assert text(page).endswith(best[-1][0])
        page.locator("#play-take-best").click()
        assert text(page) == "|".join(["resolution224", *(contents[0] for contents in best)])

    def test_each_choice_is_compared(self, page: Page, site: Path) -> None:
        show(page, site)
        page.get_by_role("button", name="What would each choice do?").click()
        changes = page.locator(".play-choice small").all_inner_texts()
        assert len(changes) == 9 and sum(len(change.splitlines()) == 4 for change in changes) == 8

    def test_a_point_is_taken_by_a_click(self, page: Page, site: Path) -> None:
        show(page, site)
        before = text(page)
        box = page.locator("#play-plane").bounding_box()
        assert box
        page.locator("#play-plane").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
        assert text(page) != before and str(ab.spaces.ofa_mbv3().parse(text(page))) == text(page)

    def test_the_phone_needs_no_scrolling_sideways(self, page: Page, site: Path) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        show(page, site, "#family=ofa_pn")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})


HOSTILE = [
    "family=ofa_big", "nonsense", "target=acc+%2B", "target=__import__(os)", "target=loss", "network=e3_k3", "at=9.9",
    "network=e3_k3,e9_k9/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3", "target=%E0%A4%A", "device=tpu",
    "score=ridge",
    "constructor=1", "__proto__=1", "family=ofa_pn&network=e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3/e3_k3,e3_k3",
    "network=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "target=acc%20*%20" + "9" * 4000, "family=toString",
]  # fmt: skip


class TestAddress:
    @pytest.mark.parametrize("state", HOSTILE)
    def test_a_hostile_or_old_link_gives_one_line_and_the_default(self, page: Page, site: Path, state: str) -> None:
        errors = show(page, site, f"#{state}")
        problem = page.locator("#play-problem").inner_text()
        assert problem and "\n" not in problem and len(problem) < 600 and not errors
        assert page.locator("#play-target").input_value() == "power(acc, 20) / latency_gpu"
        assert page.locator("#play-family").input_value() == "ofa_mbv3" and text(page).startswith("resolution224|")

    def test_a_link_shows_what_was_seen(self, page: Page, site: Path) -> None:
        show(page, site, "#family=ofa_pn&device=npu&score=effect")
        page.locator("#play-target").fill("min(acc * 100, 90) - log(latency_cpu)")
        page.locator(".play-chip:visible").nth(7).click()
        page.get_by_role("radio", name="e6 k5", exact=True).check()
        seen: list[Any] = [text(page), page.locator("#play-labels").inner_text()]
        show(page, site, page.evaluate("location.hash"))
        assert [text(page), page.locator("#play-labels").inner_text()] == seen
        assert page.locator("#play-problem").inner_text() == ""
        assert page.locator("#play-device").input_value() == "npu"

    def test_another_link_on_the_same_page_is_followed(self, page: Page, site: Path) -> None:
        show(page, site)
        page.evaluate("location.hash = 'family=ofa_pn'")
        page.wait_for_function("document.querySelectorAll('.play-unit').length === 6")
        assert page.locator("#play-family").input_value() == "ofa_pn"
