"""The command `autobuild data fetch`, from a server of this machine."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autobuild_book.cli import tables
from autobuild_lib import data
from autobuild_lib.released import caches as released
from tests.helpers.commands import Run, assert_refused


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """Serve a folder on the loopback address; return its address."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def caches(tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of small caches, served in place of the authors' data set."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, file in released.RELEASED.items():
        (folder / file).write_bytes(name.encode() * 1000)
    monkeypatch.setattr(released, "DATA_SET", serve(folder))
    return folder


def test_fetch_all_caches_or_one(run: Run, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("data", "fetch", "released", "--folder", tmp_path / "all")
    assert code == 0 and out.splitlines() == [str(tmp_path / "all" / file) for file in released.RELEASED.values()]
    assert all((tmp_path / "all" / path.name).read_bytes() == path.read_bytes() for path in caches.iterdir())
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "one"))
    code, out, _ = run("data", "fetch", "ofa_pn")
    assert code == 0 and out == f"{tmp_path / 'one' / 'ofa_pn_custom_cache.pkl'}\n"
    listed = [line.split() for line in run("data", "list")[1].splitlines()]
    assert ["released:ofa_pn", "released", "here"] in listed


def test_fetch_refuses_what_is_not_there_or_has_changed(run: Run, caches: Path, tmp_path: Path) -> None:
    name = released.RELEASED["ofa_pn"]
    fetch = ["data", "fetch", "ofa_pn", "--folder", tmp_path / "here"]
    content = (caches / name).read_bytes()
    (caches / name).unlink()
    assert_refused(run(*fetch), "404", name, f"put the file at {tmp_path / 'here' / name}")
    assert not (tmp_path / "here" / name).exists()

    (caches / name).write_bytes(content)
    assert run(*fetch)[0] == 0
    (tmp_path / "here" / name).unlink()
    (caches / name).write_bytes(content[::-1])
    code, out, err = run(*fetch)
    assert code == 1 and out == "" and "sha256" in err.splitlines()[-1] and "Traceback" not in err
    assert not list((tmp_path / "here").glob("*.pkl*"))


@pytest.fixture
def published(tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is served in place of the repository of HELP, whose files are only their names here."""
    folder, benchmark = tmp_path / "served", data.benchmarks()["help-ofa"]
    files = {}
    for file, entry in benchmark.files.items():
        (folder / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / entry["path"]).write_text(file)
        files[file] = {"path": entry["path"], "sha256": hashlib.sha256(file.encode()).hexdigest()}
    other = replace(benchmark, address=f"{serve(folder)}/", files=files)
    monkeypatch.setattr(data, "benchmarks", lambda: {"help-ofa": other})
    return folder


def test_fetch_a_benchmark(run: Run, published: Path, tmp_path: Path) -> None:
    fetch = ["data", "fetch", "help-ofa", "--folder", tmp_path / "here"]
    code, out, _ = run(*fetch)
    paths = [tmp_path / "here" / "help-ofa" / file for file in data.benchmarks()["help-ofa"].files]
    assert code == 0 and out.splitlines() == [str(path) for path in paths] and len(paths) == 13
    assert all(path.read_text() == path.name for path in paths)
    shutil.rmtree(published)  # whole files are not downloaded again
    assert run(*fetch) == (0, out, "")
    paths[3].unlink()
    assert_refused_after_output(run(*fetch), paths[3].name)


def test_fetch_a_benchmark_only_as_published(run: Run, published: Path, tmp_path: Path) -> None:
    changed = published / data.benchmarks()["help-ofa"].files["latency_v100_1.pt"]["path"]
    changed.write_text("changed")
    assert_refused_after_output(run("data", "fetch", "help-ofa", "--folder", tmp_path / "here"), "sha256")
    assert not (tmp_path / "here" / "help-ofa" / "latency_v100_1.pt").exists()


def assert_refused_after_output(result: tuple[int, str, str], part: str) -> None:
    code, _, err = result
    assert code == 1 and part in err.splitlines()[-1] and "Traceback" not in err


def test_fetch_into_a_file_is_refused(run: Run, caches: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(run("data", "fetch", "ofa_pn", "--folder", tmp_path / "file"), str(tmp_path / "file"))


def test_fetch_checkpoints_only_as_published(
    run: Run, reference: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    for path in (reference / "l1_predictors").glob("*.pt"):
        (served / path.name).symlink_to(path)
    monkeypatch.setattr(tables, "CHECKPOINTS", serve(served))
    code, out, _ = run("data", "fetch", "checkpoints", "--folder", tmp_path / "here")
    assert code == 0 and len(out.splitlines()) == 8 and all(Path(line).is_file() for line in out.splitlines())
    damaged = Path(out.splitlines()[-1])
    (served / damaged.name).unlink()
    (served / damaged.name).write_bytes(damaged.read_bytes()[::-1])
    damaged.unlink()
    code, out, err = run("data", "fetch", "checkpoints", "--folder", tmp_path / "here")
    assert code == 1 and damaged.name in err.splitlines()[-1] and not damaged.exists()
