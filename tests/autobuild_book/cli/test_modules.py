"""The commands that score modules, build from the best ones, and search."""

import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.cli import modules
from autobuild_lib.units.reduced import ReducedSpace

Run = Callable[..., tuple[int, str, str]]

EVALUATOR = """
import pandas as pd


def count(architectures):
    return pd.DataFrame({"good": [str(a).count("mb6") for a in architectures], "cost": [sum(a.depths) for a in architectures]})
"""  # noqa: E501


@pytest.fixture(scope="module")
def saved(toy: ab.SequenceSpace, toy_table: ab.data.Table, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two predictors of one target, and one of another."""
    folder = tmp_path_factory.mktemp("predictors")
    for name, target, seed in (("one", "additive", 0), ("two", "additive", 1), ("other", "other", 0)):
        ab.fit(toy, toy_table, target, seed=seed, epochs=3, progress=False).save(folder / name)
    return [folder / "one", folder / "two", folder / "other"]


class TestScore:
    def test_it_writes_every_module_with_the_score_of_the_library(
        self, run: Run, saved: list[Path], tmp_path: Path
    ) -> None:
        code, out, _ = run("score", "--predictor", saved[0], "--score", "effect", "--out", tmp_path / "modules.csv")
        expected = ab.score_units(ab.load(saved[0]), "effect").table
        written = pd.read_csv(tmp_path / "modules.csv")
        assert code == 0 and f"{len(expected):,} modules for additive" in out
        key = ["unit", "module"]
        pd.testing.assert_frame_equal(
            written.sort_values(key, ignore_index=True), expected.sort_values(key, ignore_index=True), check_dtype=False
        )
        assert written.groupby("unit").score.apply(lambda s: s.is_monotonic_decreasing).all()

    def test_it_prints_the_best_and_worst_once(self, run: Run, saved: list[Path]) -> None:
        _, out, _ = run("score", "--predictor", *saved[:2], "--show", 1)
        assert len(out.strip().splitlines()) == 2 + 2 * 2  # title, header, best and worst of two units
        _, out, _ = run("score", "--predictor", saved[0], "--show", 1_000_000)
        assert len(out.strip().splitlines()) == 2 + len(ab.score_units(ab.load(saved[0])))

    def test_predictors_of_different_targets_are_refused_in_one_line(self, run: Run, saved: list[Path]) -> None:
        code, _, err = run("score", "--predictor", saved[0], saved[2])
        assert code == 1 and "same space and target" in err and len(err.splitlines()) == 1

    def test_a_folder_that_is_not_there_is_made(self, run: Run, saved: list[Path], tmp_path: Path) -> None:
        assert run("score", "--predictor", saved[0], "--out", tmp_path / "new" / "deep" / "modules.csv")[0] == 0
        assert [path.name for path in (tmp_path / "new" / "deep").iterdir()] == ["modules.csv"]
        assert run("build", "--predictor", saved[0], "--out", tmp_path / "other" / "r.json")[0] == 0
        assert ReducedSpace.load(tmp_path / "other" / "r.json").size

    def test_a_folder_that_cannot_be_written_is_refused_before_the_work(self, run: Run, saved: list[Path]) -> None:
        code, _, err = run("score", "--predictor", saved[0], "--out", saved[0] / "config.json" / "x.csv")
        assert code == 1 and "cannot write" in err


class TestBuild:
    def test_it_saves_the_product_of_the_best(self, run: Run, saved: list[Path], tmp_path: Path) -> None:
        code, out, _ = run("build", "--predictor", saved[0], "--k", 2, 3, "--show", 2, "--out", tmp_path / "r.json")
        corpus = ab.score_units(ab.load(saved[0]))
        best = corpus.top([2, 3]).best(2)
        assert code == 0 and out.startswith("6 networks") and all(str(one) in out for one in best)
        header, *rows = [line.split() for line in out.splitlines()[1:4]]
        assert header == ["summed", "score", "predicted", "architecture"]
        assert [float(row[0]) for row in rows] == pytest.approx(corpus.top([2, 3]).scores(best), rel=1e-4)
        assert list(ReducedSpace.load(tmp_path / "r.json")) == list(corpus.top([2, 3]))

    def test_a_wrong_number_of_k_is_refused(self, run: Run, saved: list[Path]) -> None:
        code, _, err = run("build", "--predictor", saved[0], "--k", 1, 2, 3)
        assert code == 1 and "one for each of 2 units" in err


class TestSearch:
    def test_it_searches_a_reduced_space_with_a_named_function_and_resumes(
        self, run: Run, saved: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "my_labels.py").write_text(EVALUATOR, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        ab.score_units(ab.load(saved[0])).top(4).save("r.json")
        wanted = ["--reduced", "r.json", "--evaluator", "my_labels:count", "--maximise", "good", "--minimise", "cost"]
        sizes = ["--start", 4, "--rounds", 2, "--mutations", 3, "--log", "log.jsonl"]
        code, out, _ = run("search", *wanted, *sizes, "--out", "found.csv")
        found = pd.read_csv("found.csv")
        assert code == 0 and len(found) == 10 and "of 10 " in out
        reduced = ReducedSpace.load("r.json")
        assert all(reduced.space.parse(text) in reduced for text in found.architecture)
        assert list(found.good) == [text.count("mb6") for text in found.architecture]
        logged = Path("log.jsonl").read_bytes()
        assert len(logged.splitlines()) == 10
        run("search", *wanted, *sizes, "--out", "again.csv")
        assert (
            Path("log.jsonl").read_bytes() == logged
            and Path("again.csv").read_bytes() == Path("found.csv").read_bytes()
        )

    def test_the_whole_space_of_a_family_with_its_surrogate(self, run: Run) -> None:
        code, out, _ = run("search", "--space", "ofa_mbv3", "--start", 5, "--rounds", 1, "--mutations", 5)
        assert code == 0 and "of 10 evaluated" in out and "latency_gpu" in out

    @pytest.mark.parametrize(
        ("options", "part"),
        [
            (["--evaluator", "nowhere:at_all"], "nowhere"),
            (["--evaluator", "json:nothing"], "json:nothing"),
            (["--evaluator", "measure"], "module:function"),
            (["--evaluator", "json:"], "module:function"),
            (["--evaluator", ":dumps"], "module:function"),
            (["--evaluator", "os:sep"], "evaluator is '/'"),
            (["--maximise", "acc +"], "acc +"),
            (["--minimise", "size"], "size"),
        ],
    )
    def test_what_cannot_work_is_said_in_one_line(self, run: Run, options: list[str], part: str) -> None:
        code, _, err = run("search", "--space", "ofa_mbv3", "--start", 2, "--rounds", 0, *options)
        assert code == 1 and part in err.splitlines()[-1] and "Traceback" not in err  # behind the bar, if there is one

    @pytest.mark.parametrize(("option", "text"), [("--maximise", "accuracy"), ("--minimise", "latency_gpu + size")])
    def test_labels_that_the_surrogate_lacks_are_refused_before_any_evaluation(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, option: str, text: str
    ) -> None:
        monkeypatch.setattr(modules, "evolve", None)  # so that it cannot be called
        code, out, err = run("search", "--space", "ofa_mbv3", option, text)
        assert code == 1 and not out and "available labels: acc, latency_gpu, latency_cpu, latency_npu" in err

    def test_labels_that_an_evaluator_lacks_are_refused_after_one_evaluation(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And before any when the log of an earlier search says which there are."""
        (tmp_path / "my_other_labels.py").write_text(EVALUATOR, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        given = ["search", "--space", "ofa_mbv3", "--evaluator", "my_other_labels:count", "--workers", 0]
        for _ in range(2):
            code, _, err = run(*given, "--maximise", "acc", "--minimise", "cost", "--log", "log.jsonl")
            assert code == 1 and re.search("no label 'acc'; .*: good, cost$", err.splitlines()[-1])
            assert len(Path("log.jsonl").read_bytes().splitlines()) == 1

    def test_a_space_without_a_surrogate_needs_an_evaluator(
        self, run: Run, toy: ab.SequenceSpace, tmp_path: Path
    ) -> None:
        (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()), encoding="utf-8")
        code, _, err = run("search", "--space", tmp_path / "toy.json")
        assert code == 1 and "no surrogate for 'toy'" in err


@pytest.fixture
def own(toy: ab.SequenceSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    """Write a module `own` here, and search the toy space with a function of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("toy.json").write_text(json.dumps(toy.to_json()), encoding="utf-8")
    sizes = ["--start", 4, "--rounds", 1, "--mutations", 2, "--maximise", "good", "--minimise", "cost"]

    def command(*options: object, module: str = "", function: str = "count") -> tuple[int, str, str]:
        monkeypatch.delitem(sys.modules, "own", raising=False)
        importlib.invalidate_caches()
        shutil.rmtree("__pycache__", ignore_errors=True)
        Path("own.py").write_text(EVALUATOR + module, encoding="utf-8")
        return run("search", "--space", "toy.json", "--evaluator", f"own:{function}", *sizes, *options)

    return command


STOPPED = """
left = 3

def stopped(architectures):
    global left
    if not left:
        raise KeyboardInterrupt
    left -= 1
    return count(architectures)
"""


class TestSearchWithAnEvaluatorOfYourOwn:
    def test_what_was_evaluated_before_an_interrupt_is_in_the_log(self, own: Run) -> None:
        code, _, err = own("--log", "new/log.jsonl", module=STOPPED, function="stopped")
        assert code == 130 and len(Path("new/log.jsonl").read_bytes().splitlines()) == 3
        assert err.splitlines()[-1].startswith("autobuild: interrupted") and err.endswith("new/log.jsonl\n")
        code, _, err = own(module=STOPPED, function="stopped")
        assert code == 130 and err.splitlines()[-1] == "autobuild: interrupted"

    def test_what_failed_is_evaluated_again_on_request(self, own: Run) -> None:
        broken = "\ndef broken(architectures):\n    raise OSError('no such device')\n"
        for _ in range(2):
            code, _, err = own("--log", "log.jsonl", module=broken, function="broken")
            assert code == 1 and err.splitlines()[-1].startswith("autobuild: all 4 evaluations failed")
        code, out, err = own("--log", "log.jsonl")
        assert code == 1 and all(text in err.splitlines()[-1] for text in ("--retry-failed", "log.jsonl"))
        code, out, _ = own("--log", "log.jsonl", "--retry-failed")
        assert code == 0 and "of 6 evaluated architectures" in out

    def test_the_surrogate_is_asked_for_a_round_at_once(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def watched(*_: object, **options: object) -> pd.DataFrame:
            asked.append(options["workers"])
            raise ValueError("enough")

        monkeypatch.setattr(modules, "evolve", watched)
        assert run("search", "--space", "ofa_mbv3")[0] == 1
        assert run("search", "--space", "ofa_mbv3", "--workers", 2)[0] == 1
        assert asked == [None, 2]

    @pytest.mark.parametrize(
        ("module", "parts"),
        [
            ("1 / 0", ["ZeroDivisionError: division by zero", "own.py, line 7)"]),
            ("def f(:", ["SyntaxError", "own.py, line 7)"]),
            ("raise RuntimeError('a\\nb')", ["RuntimeError: a b", "own.py, line 7)"]),
            ("import nowhere_at_all", ["ModuleNotFoundError: No module named 'nowhere_at_all'", "own.py, line 7)"]),
            ("raise SystemExit", ["SystemExit", "own.py, line 7)"]),
        ],
    )
    def test_a_module_that_fails_is_said_in_one_line(self, own: Run, module: str, parts: list[str]) -> None:
        code, out, err = own(module=module)
        assert code == 1 and not out and err.count("\n") == 1 and err.startswith("autobuild: --evaluator own:count: ")
        assert all(part in err for part in parts), err

    def test_a_file_that_is_no_log_is_kept(self, own: Run) -> None:
        before = Path("toy.json").read_bytes()
        code, _, err = own("--log", "toy.json")
        assert code == 1 and err.startswith("autobuild: toy.json, line 1: not an evaluation") and err.count("\n") == 1
        assert Path("toy.json").read_bytes() == before

    def test_out_is_no_file_that_is_read(self, own: Run, run: Run, toy: ab.SequenceSpace) -> None:
        reduced = ReducedSpace.full(toy)
        for name in ("one.json", "two.json"):
            reduced.save(name)
        Path("link.json").symlink_to("toy.json")
        assert own("--log", "log.jsonl")[0] == 0
        before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
        for options in (["--log", "log.jsonl", "--out", Path.cwd() / "log.jsonl"], ["--out", "link.json"]):
            code, out, err = own(*options)
            assert code == 1 and not out and "--out" in err and err.count("\n") == 1
        code, _, err = run("search", "--reduced", "one.json", "two.json", "--out", "two.json")
        assert code == 1 and "--out two.json" in err
        assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
