"""The page on rerunning: its commands run, in a copy of the repository, exactly as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "book" / "rerun.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")
    for name in ("autobuild_lib", "autobuild_book", "notebooks", "book"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "_config.yml", folder)
    return folder


def run(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block in bash as a reader would who has activated the environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    command = ["bash", "-euo", "pipefail", "-c", block]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600
    )


def block_with(text: str) -> str:
    (found,) = [block for block in BLOCKS if text in block]
    return str(found)


def check(block: str, clone: Path, *made: str) -> None:
    done = run(block, clone)
    assert done.returncode == 0, done.stdout[-2000:]
    assert all((clone / path).is_file() for path in made), sorted(clone.glob("artifacts/**/*"))


def test_every_block_is_tested_here() -> None:
    tested = (
        "-p seed 3",
        "jupyter-book build",
        "autobuild sweep",
        "runs.comparison",
        "autobuild chain",
        "snakemake",
        "autobuild archive",
        "mine.csv",
        "toy.json",
        "my_device",
        "autobuild search",
    )
    assert [next(text for text in tested if text in block) for block in BLOCKS] == list(tested)


def test_one_notebook(clone: Path) -> None:
    check(block_with("-p seed 3"), clone, "artifacts/mine-00_method.ipynb", "artifacts/mine/00_method/metrics.json")
    before = {path: path.read_bytes() for path in (clone / "artifacts" / "mine").rglob("*") if path.is_file()}
    refused = run(block_with("-p seed 3").replace("-p seed 3", "-p seed 9").replace("mine-00", "mine-other"), clone)
    assert refused.returncode and "AnotherRunError" in refused.stdout
    assert before == {path: path.read_bytes() for path in (clone / "artifacts" / "mine").rglob("*") if path.is_file()}
    page = "_build/_page/artifacts-mine-00_method/html/mine-00_method.html"
    check(block_with("jupyter-book build"), clone, page)
    text = (clone / page).read_text(encoding="utf-8")
    assert page in (ROOT / "book" / "rerun.md").read_text() and "glue:" not in text and "Do not quote" not in text


@pytest.mark.slow
def test_a_sweep_over_targets_and_seeds(clone: Path) -> None:
    made = [f"artifacts/comparison/comparison.{kind}" for kind in ("csv", "html", "svg", "png")]
    made.append("artifacts/comparison/summary.csv")
    check(block_with("autobuild sweep"), clone, *made)
    metrics = list(clone.glob("artifacts/sweeps/targets/*/01_predictor_srcc/metrics.json"))
    parameters = [json.loads(path.read_text())["parameters"] for path in metrics]
    found = sorted((*given["targets"], given["seed"]) for given in parameters)
    assert found == [(target, seed) for target in ("acc", "acc * 100 / latency_gpu") for seed in (1, 2)]
    header = "run,seed,targets,commit,code,data_sha256,machine,versions,table[paper].head,table[tuned].head\n"
    assert (clone / made[0]).read_text().startswith(header)
    assert len((clone / made[-1]).read_text().splitlines()) == 1 + 2 * 2
    assert re.search(r"^acc +-?[01]\.\d+$", run(block_with("runs.comparison"), clone).stdout, re.MULTILINE)
    planned = run(block_with("autobuild sweep").split("autobuild compare")[0].strip() + " --plan", clone).stdout
    assert re.findall(r"\d+", planned.splitlines()[1]) == ["4", "0", "0", "0"]


@pytest.mark.slow
def test_the_chain_with_other_parameters_and_again_with_nothing_to_do(clone: Path) -> None:
    block = block_with("autobuild chain")
    check(block, clone, "artifacts/seed-7/00_method.ipynb", "artifacts/seed-7/01_predictor_srcc/metrics.json")
    assert "nothing to do" in run(block, clone).stdout
    assert "Nothing to be done" in run(block_with("snakemake"), clone).stdout


@pytest.mark.slow
def test_a_notebook_that_fails_is_kept_where_it_can_be_found(clone: Path) -> None:
    block = block_with("snakemake").replace("out=artifacts/seed-7", "out=artifacts/wrong data=nothing.csv")
    done = run(block, clone)
    failed = re.findall(r"^(\w+) failed: FileNotFoundError: .*nothing.csv", done.stdout, re.MULTILINE)
    assert done.returncode and failed, done.stdout[-2000:]
    for name in failed:
        assert (clone / f"artifacts/wrong/failed/{name}.ipynb").is_file()
        assert not (clone / f"artifacts/wrong/{name}.ipynb").exists()


@pytest.mark.parametrize("wrong", ["profile=fast", "sed=7", "out=20261129", "seed=1.5"])
def test_the_chain_refuses_what_it_does_not_know(clone: Path, wrong: str) -> None:
    done = run(f"snakemake --snakefile notebooks/Snakefile --cores 1 --dry-run --config {wrong}", clone)
    assert done.returncode and re.search(r"choose from|: unknown; |of type \w+, not", done.stdout)


@pytest.mark.slow
def test_own_data(clone: Path) -> None:
    check(block_with("mine.csv"), clone, "mine.csv", "artifacts/csv/00_method/metrics.json")


@pytest.mark.slow
def test_own_search_space(clone: Path) -> None:
    check(block_with("toy.json"), clone, "toy.json", "artifacts/toy-00_method.ipynb")


@pytest.mark.slow
def test_own_device(clone: Path) -> None:
    check(block_with("my_device"), clone, "my_device.py", "artifacts/device-07_your_machine.ipynb")


@pytest.mark.slow
def test_building_from_the_command_line(clone: Path) -> None:
    made = ("predictor/config.json", "modules.csv", "reduced.json", "search.jsonl", "found.csv")
    check(block_with("autobuild search"), clone, *[f"artifacts/commands/{name}" for name in made])
