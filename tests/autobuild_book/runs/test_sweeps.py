"""Sweeps: which runs there are, what is refused before anything runs, and one that fails half-way and goes on."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.chain import front
from autobuild_book.cli import chain
from autobuild_book.runs.metrics import read_plan
from autobuild_book.runs.sweeps import MOST_RUNS, PLAN, Sweep, plan_sweep, read_parameters, run_name
from tests.helpers import sweep_notebook

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = "01_predictor_srcc"


def plan(*settings: str, notebook: str = NOTEBOOK, profile: str = "quick") -> Sweep:
    return plan_sweep(notebook, settings, profile, folder=ROOT / "notebooks")


def values(*settings: str, of: str) -> list[object]:
    return [given[of] for given in plan(*settings).runs.values()]


# -------------------------------------------------------------------- which runs


def test_every_combination_is_a_run() -> None:
    found = plan("seed=1,5", "targets=acc,latency_gpu", "paper_epochs=3").runs.values()
    pairs = itertools.product([1, 5], ["acc", "latency_gpu"])
    assert list(found) == [{"seed": seed, "targets": [target], "paper_epochs": 3} for seed, target in pairs]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (["seed=0..3"], [0, 1, 2, 3]),
        (["seed=7"], [7]),
        (["seed=7", "seed=9"], [7, 9]),
        (["seed=0..1, 5 ,1"], [0, 1, 5]),
    ],
)
def test_ranges_commas_and_repetition(settings: list[str], wanted: list[int]) -> None:
    assert values(*settings, of="seed") == wanted


@pytest.mark.parametrize(
    ("setting", "name", "wanted"),
    [
        ("target=acc,latency_gpu", "targets", [["acc"], ["latency_gpu"]]),  # the singular of a list
        ("targets=acc * 100 / latency_gpu", "targets", [["acc * 100 / latency_gpu"]]),
        ("target=max(acc, 0.8)", "targets", [["max(acc, 0.8)"]]),  # brackets: one value
        ("target=`acc`,latency_gpu", "targets", [["`acc`"], ["latency_gpu"]]),
        ('targets=["acc", "latency_gpu"]', "targets", [["acc", "latency_gpu"]]),
        ("sizes=[50,400]", "sizes", [[50, 400]]),
        ("sizes=50..52", "sizes", [[50], [51], [52]]),
        ("data=ofa_mbv3,released:ofa_pn", "data", ["ofa_mbv3", "released:ofa_pn"]),
        ("space=", "space", [""]),
        ("space=a=b", "space", ["a=b"]),
    ],
)
def test_values_have_the_type_of_the_notebook(setting: str, name: str, wanted: list[object]) -> None:
    assert values(setting, of=name) == wanted


def test_names_are_stable_readable_and_different() -> None:
    (name,) = plan("target=acc * 100 / latency_gpu", "seed=3").runs
    assert re.fullmatch(r"seed-3_targets-acc-100-latency-gpu-[0-9a-f]{8}", name)
    assert [name] == list(plan("seed=3", "targets=acc * 100 / latency_gpu").runs)
    assert name not in plan("target=acc * 100 / latency_gpu", "seed=3", profile="paper").runs
    alike = plan("target=acc*1.5,acc*15,acc/15").runs
    assert len(alike) == 3


def test_a_name_does_not_depend_on_what_else_is_swept() -> None:
    assert set(plan("seed=3", "target=acc").runs) < set(plan("target=latency_gpu,acc", "seed=0..9").runs)


VALUES = st.text(max_size=200) | st.integers() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1))
def test_names_are_fit_for_a_folder(given: dict[str, object]) -> None:
    name = run_name("quick", given)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,89}", name) and not name.startswith(".")


def test_the_parameters_of_every_notebook_are_read() -> None:
    notebooks = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    for notebook in notebooks:
        assert {"profile", "seed", "data", "space", "out"} <= set(read_parameters(ROOT / "notebooks", notebook))


# -------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sed=1", "'sed'; it has seed, data"),
        ("seed", "needs NAME=VALUES"),
        ("seed=-1", "-1 is no seed"),
        ("seed=0..4294967296", "must rise"),
        ("seed=4294967295..4294967296", "4294967296 is no seed"),
        ("seed=x", "'x' is not one; seed takes"),
        ("seed=1.5", "'1.5' is not one"),
        ("seed=true", "'true' is not one"),
        ("seed=1,,2", "'' is not one"),
        ("seed=", "'' is not one"),
        ("seed=5..1", "must rise"),
        ("seed=0..99999999999", "less than 10,000"),
        ("seed=[1]", "is not one"),
        ("sizes=[50,1.5]", "sizes takes lists"),
        ("sizes=[50,a]", "sizes takes lists"),
        ("sizes=[50", "sizes takes lists"),
        ("out=here", "give --out instead"),
        ("profile=paper", "give --profile instead"),
    ],
)
def test_wrong_settings_are_one_line(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        plan(setting)
    assert str(error.value).startswith(f"--set {setting}") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("notebook", "settings", "parts"),
    [
        (NOTEBOOK, ["target=accuracy"], ["--set target=accuracy", "no label accuracy", "bundled has acc, flops_m,"]),
        (
            NOTEBOOK,
            ["target=acc,acc / latency", "data=ofa_pn"],
            ["target=acc / latency", "label latency", "ofa_pn has"],
        ),
        (NOTEBOOK, ["target=acc +"], ["acc +"]),
        (NOTEBOOK, ["target=acc,pq", "data=ofa_pn,panoptic"], ["no label pq", "ofa_pn has acc"]),
        ("06_diffusion_unets", ["target=acc"], ["no label acc", "bundled has"]),
        (NOTEBOOK, ["target=acc,other", "data=MINE"], ["no label acc", "MINE has "]),
    ],
)
def test_labels_that_are_not_there_are_refused(
    notebook: str, settings: list[str], parts: list[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("architecture,other,more\n")
    with pytest.raises(ValueError, match=".*".join(map(re.escape, parts)).replace("MINE", str(mine))):
        plan(*(text.replace("MINE", str(mine)) for text in settings), notebook=notebook)


@pytest.mark.parametrize(
    ("notebook", "settings"),
    [
        (NOTEBOOK, ["target=flops_m"]),
        ("06_diffusion_unets", ["target=-log_distance,masked_mse"]),
        ("07_your_machine", ["target=1 / energy", "label=energy"]),  # measured by the notebook itself
        (NOTEBOOK, ["target=energy", "data=released:ofa_pn"]),
    ],
)
def test_labels_that_are_there_or_not_known_pass(notebook: str, settings: list[str]) -> None:
    assert plan(*settings, notebook=notebook).runs


def test_the_header_of_a_csv_is_read_as_when_it_is_loaded(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    mine, space = tmp_path / "mine.csv", tmp_path / "toy.json"
    space.write_text(json.dumps(toy.to_json()))
    mine.write_text("architecture, acc , latency\n", encoding="utf-8-sig")
    settings = [f"data={mine}", f"space={space}"]
    assert plan("target=acc / latency", *settings).runs
    with pytest.raises(ValueError, match=r"flops_m; .* has acc, latency$"):
        plan("target=acc / flops_m", *settings)
    assert plan("target=acc / flops_m", f"data={mine}", "space=ofa_pn").runs
    for content, message in [
        (b"architecture,\x80\n", "not a CSV in UTF-8"),
        (b"architecture," + b"a" * 200_000, "not a CSV in UTF-8: field larger than field limit"),
        (b"acc,latency\n", "needs one column 'architecture'"),
    ]:
        mine.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(f"{mine}: ") + ".*" + re.escape(message)):
            plan("target=acc", *settings)


@pytest.mark.parametrize("name", ["missing.csv", "missing.pkl"])
def test_a_file_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"--set data={name}: .*no such file"):
        plan("target=acc", f"data=ofa_pn,{name}")


def test_too_many_runs_are_refused() -> None:
    with pytest.raises(ValueError, match=f"20,000 .* {MOST_RUNS:,}"):
        plan("seed=0..9999", "paper_epochs=1,2")


def test_an_unknown_notebook_and_no_notebooks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"notebook '01_predictor'; .* 00_data, 00_method, 01_predictor_srcc"):
        plan("seed=1", notebook="01_predictor")
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path}: ")):
        plan_sweep(NOTEBOOK, ["seed=1"], folder=tmp_path)


# -------------------------------------------------------------------- the command

Run = Callable[..., tuple[int, str, str]]


def no_snakemake(*_: object) -> None:
    raise AssertionError("Snakemake was called")


@pytest.mark.parametrize("option", ["--plan", "--dry-run"])
def test_a_plan_lists_the_runs_and_writes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(front, "run_jobs", no_snakemake)
    place = tmp_path / "place"
    given = ("sweep", "--notebook", "00_method", "--set", "seed=1..3", "--profile", "quick", "--out", place)
    code, out, err = run(*given, option)
    lines = out.splitlines()
    assert (code, err) == (0, "") and not place.exists()
    assert lines[0] == f"3 runs of 00_method (quick profile) in {place}"
    assert re.findall(r"\d+", lines[1]) == ["0", "0", "3", "3"] and "no recorded time" in lines[1]
    assert [re.match(r"  to run +seed (\d) ", line)[1] for line in lines[2:]] == ["1", "2", "3"]  # type: ignore[index]


def test_a_folder_with_another_sweep_is_refused_and_kept(tmp_path: Path) -> None:
    first = plan_sweep("00_method", ["seed=1"], "quick", tmp_path, ROOT / "notebooks")
    before = first.write().read_text()
    assert plan_sweep("00_method", ["seed=2"], "quick", tmp_path, ROOT / "notebooks").runs
    for notebook, profile in [(NOTEBOOK, "quick"), ("00_method", "paper")]:
        with pytest.raises(ValueError, match=r"00_method.*quick"):
            plan_sweep(notebook, ["seed=1"], profile, tmp_path, ROOT / "notebooks")
    assert (tmp_path / PLAN).read_text() == before


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        (["seed=1,2", "paper_epochs=3"], ["seed 1", "seed 2"]),
        (["seed=1", "paper_epochs=3"], ["seed 1, paper_epochs 3"]),
        (["seed=1", "targets=acc,latency_gpu"], ["targets acc", "targets latency_gpu"]),
        (["sizes=[50,400]", "seed=4,5"], ["seed 4", "seed 5"]),
    ],
)
def test_a_label_has_the_parameters_that_differ(settings: list[str], labels: list[str]) -> None:
    sweep = plan(*settings)
    assert list(sweep.labels()) == list(sweep.runs) and list(sweep.labels().values()) == labels


def test_the_command_refuses_before_anything_runs(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(front, "run_jobs", no_snakemake)
    given = ("sweep", "--notebook", "00_method", "--out", tmp_path / "place")
    for wrong, message in [
        (("--set", "sed=1"), "00_method has no parameter 'sed'"),
        (("--set", "seed=1", "--workflow-profile", tmp_path), "there is no config.yaml"),
    ]:
        code, _, err = run(*given, *wrong)
        assert code == 1 and err.count("\n") == 1 and message in err and not (tmp_path / "place").exists()


@pytest.mark.parametrize(("module", "executor"), [("snakemake", "local"), ("snakemake_executor_plugin_slurm", "slurm")])
def test_what_is_not_installed_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, module: str, executor: str, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(chain, "find_spec", lambda name: None if name == module else name)
    given = ("sweep", "--notebook", "00_method", "--set", "seed=1", "--executor", executor, "--out", tmp_path)
    code, _, err = run(*given)
    assert code == 1 and re.search(rf"{module} .*'autobuild-book\[", err)


@pytest.mark.slow
def test_a_run_that_fails_leaves_the_others_and_goes_on(tmp_path: Path) -> None:
    """With the same command again, and with nothing to do the third time."""
    folder = sweep_notebook.copy_repository(tmp_path / "clone")
    name, given = sweep_notebook.NAME, ("--set", "seed=2,3", "--set", "fail=true", "--set", "factor=0.5")
    sweep = ("sweep", "--notebook", name, *given, "--profile", "quick", "--out", "my runs", "--cores", "2")
    code, written = sweep_notebook.run(folder, *sweep)
    assert code == 1 and f"{name} failed: AssertionError: closed" in written, written
    assert re.search(r"autobuild: 1 of 2 runs .* seed-3_factor-0.5_fail-true-\w{8}; ", written)
    (done,) = folder.glob(f"my runs/*/{name}/metrics.json")
    before = done.stat().st_mtime_ns
    (folder / "open").touch()
    code, written = sweep_notebook.run(folder, *sweep)
    assert code == 0 and "all 2 have metrics" in written, written
    records = [json.loads(path.read_text()) for path in sorted(folder.glob(f"my runs/*/{name}/metrics.json"))]
    assert [record["metrics"] for record in records] == [{"double": 2.0}, {"double": 3.0}]
    assert all(record["parameters"]["fail"] is True for record in records)
    assert re.search(r"^2 finished, .* 0 run now$", sweep_notebook.run(folder, *sweep)[1], re.MULTILINE)
    assert done.stat().st_mtime_ns == before


def test_labels_of_any_name_in_the_targets_of_a_sweep(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    mine, space = tmp_path / "mine.csv", tmp_path / "toy.json"
    space.write_text(json.dumps(toy.to_json()))
    mine.write_text('architecture,latency (ms),acc-std,"a=b, c",acc,std\n')
    settings = [f"data={mine}", f"space={space}"]
    found = plan("target=`latency (ms)`, `a=b, c` * 2,`acc-std`", *settings).runs
    targets = [given["targets"] for given in found.values()]
    assert targets == [["`latency (ms)`"], ["`a=b, c` * 2"], ["`acc-std`"]]
    assert all(re.fullmatch(r"[\w.-]+", name, re.ASCII) for name in found) and len(found) == 3
    with pytest.raises(ValueError, match=r"label speed; .* `a=b, c`, acc, `acc-std`, `latency \(ms\)`, std"):
        plan("target=speed", *settings)
    with pytest.raises(ValueError, match="write `acc-std`"):
        plan("target=acc-std", *settings)
    (run,) = plan("target=latency (ms)", *settings).runs.values()  # one value for its brackets, and no equation
    assert run["targets"] == ["`latency (ms)`"]


@pytest.mark.parametrize("setting", ["data=nope", "data=nas-bench", "data=released:nope", "data=ofa_mbv3,table.txt"])
def test_data_of_no_known_name_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"no such data; give bundled, .*released:ofa_pn"):
        plan(setting)


@pytest.mark.parametrize("setting", ["data=nas-bench-graph:cora", "data=bundled", "data=released:ofa_mbv3_pn_ir"])
def test_data_of_a_known_name_pass(setting: str) -> None:
    assert plan(setting).runs


@pytest.mark.parametrize(
    "setting", ["paper_epochs=0", "paper_epochs=-3", "paper_epochs=-1..2", "sizes=[50,0]", "sizes=0", "curve_seeds=0"]
)
def test_numbers_of_nothing_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="is less than 1"):
        plan(setting)


def test_none_is_a_number_where_the_notebook_has_it() -> None:
    assert plan("validate=0,5", "seed=0", notebook="04_pareto_regions").runs
    with pytest.raises(ValueError, match="-1 is less than 0"):
        plan("validate=-1", notebook="04_pareto_regions")


def test_runs_that_are_added_later_stay_planned(tmp_path: Path) -> None:
    for seeds in ("seed=1,2", "seed=2..4"):
        path = plan_sweep(NOTEBOOK, [seeds], "quick", tmp_path, ROOT / "notebooks").write()
    assert [run["seed"] for run in read_plan(path)["runs"].values()] == [1, 2, 3, 4]
