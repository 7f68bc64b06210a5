"""Reading tables: CSV files, released caches and bundled tables, and what their errors say."""

import dataclasses
import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_lib.data import DataError, files, manifest
from autobuild_lib.data.files import Bundled

A = "identity_ratio1,identity_ratio1|width16;identity_ratio1|identity_ratio1"
B = A.replace("width16", "width32")


def csv(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def test_csv_round_trip(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    path = csv(tmp_path, "architecture,acc,latency", f'"{A}",0.5,1e1', f'"{B}", 0.25 ,-3')
    table = ab.data.load(path, toy)
    assert table.architectures == (toy.parse(A), toy.parse(B)) and table.space == toy
    assert table.labels.to_dict("list") == {"acc": [0.5, 0.25], "latency": [10.0, -3.0]}
    assert table.kind == "yours" and table.source == str(path) and table.noise_free is None
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_columns_in_any_order_with_a_byte_order_mark_and_blank_lines(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    path = csv(tmp_path, "acc, architecture ", f'0.5,"{A}"', "", f'1,"{B}"', "", encoding="utf-8-sig")
    assert ab.data.load(str(path), toy).labels["acc"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("place", [3, 8, 20])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [("x", "row ROW: label latency is 'x'"), ("0", "rows: ROW (row ROW: acc = 0.5, latency = 0 gives inf)")],
)
def test_rows_in_errors_are_those_of_the_file(
    toy: ab.SequenceSpace,
    tmp_path: Path,
    run: Callable[..., tuple[int, str, str]],
    place: int,
    wrong: str,
    message: str,
) -> None:
    """Counted alike for a cell that cannot be read, and for a target that cannot be computed after a split."""
    texts = [f'"{a}"' for a in dict.fromkeys(map(str, toy.sample(np.random.default_rng(0), 40)))]
    lines = ["architecture,acc,latency", *(f"{text},0.5,2" for text in texts)]
    lines.insert(9, "")
    lines[place] = lines[place].replace(",0.5,2", f",0.5,{wrong}")
    path = csv(tmp_path, *lines)
    (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()))
    given = ("fit", "--data", path, "--space", tmp_path / "toy.json", "--target", "acc / latency", "--out", tmp_path)
    wanted = message.replace("ROW", str(place + 1))
    for seed in range(10):  # the row is now in the one part, now in the other
        code, _, err = run(*given, "--split-seed", seed)
        assert code == 1 and wanted in err and str(path) in err


def test_noise_free_columns_become_numbers_beside_the_labels(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    path = csv(tmp_path, "architecture,acc,acc_noise_free", f'"{A}",0.5,0.4', f'"{B}",1,2')
    table = ab.data.load(path, toy)
    assert list(table.labels) == ["acc"] and table.noise_free is not None
    assert table.noise_free.dtypes["acc"] == np.float64 and table.noise_free["acc"].tolist() == [0.4, 2.0]
    assert table.take([1]).noise_free["acc"].tolist() == [2.0]


HEAD = "architecture,acc"
BAD = {
    "no architecture": (["arch,acc", f'"{A}",1'], r"header \['arch', 'acc'\]; needs one column 'architecture'"),
    "two architectures": (["architecture,architecture", '"x","x"'], "needs one column 'architecture'"),
    "two alike": (["architecture,acc,acc", '"x",1,1'], "distinct label names"),
    "no name": (["architecture,acc,", f'"{A}",1,2'], "column 3 has no name; give every column one"),
    "only an index": ([",architecture", f'0,"{A}"'], "there is no label"),
    "semicolons": (["architecture;acc", f"{A};1"], "row 2: 3 cells, .*; a cell that holds ';' stands in double quotes"),
    "other separator": (["architecture/acc", "x/1"], "needs one column 'architecture'"),
    "no label": (["architecture", f'"{A}"'], "there is no label; give at least one numeric column"),
    "only a header": ([HEAD], "there are no rows"),
    "empty": ([], "the header|the file is empty|header"),
    "missing cell": ([HEAD, f'"{A}",1', f'"{B}"'], r"row 3: 1 cells, the header has 2 \(architecture, acc\)"),
    "extra cell": ([HEAD, f'"{A}",1,2'], "row 2: 3 cells, the header has 2"),
    "unquoted": ([HEAD, f"{A},1"], "row 2: 3 cells, the header has 2"),
    "unknown layer": (
        [HEAD, f'"{A}",1', '"' + B.replace("identity", "conv") + '",1'],
        "row 3: toy, unit 0: layer 'conv_ratio1' is not allowed; choose from identity_ratio0.25",
    ),
    "wrong depth": (
        [HEAD, '"' + A.replace(",identity_ratio1", "") + '",1'],
        "row 2: toy, unit 0: given 1 layers, allowed are 2 layers",
    ),
    "missing unit": ([HEAD, '"' + A.rsplit("|", 1)[0] + '",1'], "row 2: toy: .* has 2 parts, expected unit 0"),
    "unit feature": ([HEAD, '"' + A.replace("16", "17") + '",1'], "row 2: .*'width17' .* one of width16"),
    "infinite": ([HEAD, f'"{A}",1', f'"{B}",-inf'], "row 3: label acc is '-inf'"),
    "overflow": ([HEAD, f'"{A}",1e999'], "row 2: label acc is '1e999'"),
    "text": ([HEAD, f'"{A}",good'], "row 2: label acc is 'good'"),
    "underscores": ([HEAD, f'"{A}",1_000'], "row 2: label acc is '1_000'"),
    "hexadecimal": ([HEAD, f'"{A}",0x10'], "row 2: label acc is '0x10'"),
    "comma": ([HEAD, f'"{A}","0,5"'], "row 2: label acc is '0,5' with a decimal comma; allowed are numbers"),
    "date": ([HEAD, f'"{A}",2020-01-01'], "row 2: label acc is '2020-01-01'"),
    "complex": ([HEAD, f'"{A}",1j'], "row 2: label acc is '1j'"),
    "truth": ([HEAD, f'"{A}",True'], "row 2: label acc is 'True'"),
    "after blank lines": ([HEAD, "", "", f'"{A}",good'], "row 4: label acc is 'good'"),
    "duplicate": ([HEAD, f'"{A}",1', "", f'"{A}",2'], "row 4: architecture .* stands in row 2 already"),
    "duplicate, written differently": (
        [HEAD, f'"{A}",1', '" ' + A.replace(",", " , ").replace("|", " | ") + '",2'],
        "row 3: architecture .* stands in row 2 already",
    ),
    "noise-free text": ([HEAD + ",acc_noise_free", f'"{A}",1,x'], "row 2: label acc is 'x'"),
    "noise-free alone": ([HEAD + ",lat_noise_free", f'"{A}",1,1'], "column lat_noise_free needs a column lat"),
    "open quote": ([HEAD, f'"{A}",1', f'"{B}'], "not a CSV in UTF-8"),
}


FORMS = {  # as other programs write them: lines, and what is to be seen of them
    "semicolons": ["architecture;acc", f'"{A}";0.5', f'"{B}";1'],
    "tabs": ["acc\tarchitecture", f"0.5\t{A}", f"1\t{B}"],
    "sep line": ["sep=;", "architecture;acc", f'"{A}";0.5', f'"{B}";1'],
    "sep line of another": ['"sep=^"', "architecture^acc", f"{A}^0.5", f"{B}^1"],
    "index": [",architecture,acc", f'7,"{A}",0.5', f'3,"{B}",1'],
    "indices, saved again and again": ["Unnamed: 0.1,Unnamed: 0,architecture,acc", f'0,0,"{A}",.5', f'1,1,"{B}",1'],
    "commas at the ends": ["architecture,acc,,", f'"{A}",0.5,,', f'"{B}",1, ,'],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_forms_that_other_programs_write(toy: ab.SequenceSpace, tmp_path: Path, form: str, encoding: str) -> None:
    path = csv(tmp_path, *FORMS[form], encoding=encoding)
    table = ab.data.load(path, toy)
    assert table.labels.to_dict("list") == {"acc": [0.5, 1.0]} and table.architectures == (toy.parse(A), toy.parse(B))


def test_rows_below_a_sep_line_are_those_of_the_file(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 4: label acc is 'x'"):
        ab.data.load(csv(tmp_path, "sep=;", "architecture;acc", f'"{A}";0.5', f'"{B}";x'), toy)


@pytest.mark.parametrize("text", ["", "nan", "NA", "null", " "])
def test_an_empty_cell_is_a_missing_label(toy: ab.SequenceSpace, tmp_path: Path, text: str) -> None:
    table = ab.data.load(csv(tmp_path, "architecture,acc,other", f'"{A}",1,{text}', f'"{B}",2,3'), toy)
    assert table.evaluate(ab.Target("acc")).tolist() == [1, 2]
    with pytest.raises(DataError, match="missing in 1 of 2 rows: 2;"):
        table.evaluate(ab.Target("acc + other"))


def test_numbers_are_read_exactly(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).random(2)
    path = csv(tmp_path, "architecture,acc", *(f'"{a}",{v!r}' for a, v in zip((A, B), numbers.tolist(), strict=True)))
    assert ab.data.load(path, toy).labels["acc"].tolist() == numbers.tolist()


def test_rows_of_several_seeds(toy: ab.SequenceSpace, tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    texts = list(dict.fromkeys(map(str, toy.sample(np.random.default_rng(0), 60))))
    rows = [f'"{text}",{seed + row},' for seed in range(2) for row, text in enumerate(texts)]
    path = csv(tmp_path, "architecture,acc,seed", *rows)
    table = ab.data.load(path, toy, duplicates="mean")
    assert table.labels["acc"].tolist() == [row + 0.5 for row in range(len(texts))]
    (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()))
    given = ("fit", "--data", path, "--space", tmp_path / "toy.json", "--target", "acc", "--out", tmp_path / "p")
    given = (*given, "--epochs", 1, "--preset", "tuned")
    assert run(*given)[0] == 1 and "--duplicates mean" in run(*given)[2]
    assert run(*given, "--duplicates", "mean")[0] == 0


@pytest.mark.parametrize("case", BAD)
def test_wrong_csv_names_file_row_value_and_what_is_allowed(toy: ab.SequenceSpace, tmp_path: Path, case: str) -> None:
    lines, message = BAD[case]
    path = csv(tmp_path, *lines)
    with pytest.raises(DataError, match=message) as caught:
        ab.data.load(path, toy)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfea\x00", b"architecture,acc\n\x00,1\n", b"\x80\x04."])
def test_files_that_are_no_csv(toy: ab.SequenceSpace, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.csv"):
        ab.data.load(path, toy)


def test_wrong_sources(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        ab.data.load("absent.csv", toy)
    with pytest.raises(FileNotFoundError, match="no such data"):
        ab.data.load(tmp_path, toy)
    with pytest.raises(ValueError, match="'nothing'; allowed: ofa_mbv3, ofa_pn"):
        ab.data.load("released:nothing")
    with pytest.raises(DataError, match="a CSV needs its search space"):
        ab.data.load(csv(tmp_path, HEAD))
    for name in ("table.xlsx", "table"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataError, match=r"allowed are \.csv and \.pkl"):
            ab.data.load(tmp_path / name, toy)


# -------------------------------------------------------------------- released caches


@pytest.mark.parametrize(("family", "space"), [("ofa_mbv3", ab.spaces.ofa_mbv3), ("ofa_pn", ab.spaces.ofa_pn)])
def test_golden_caches_become_tables(reference: Path, family: str, space: object) -> None:
    folder = reference / "released_format"
    path = folder / f"{family}_custom_cache.pkl"
    for table in (ab.data.load(path), ab.data.load(f"released:{family}", folder=folder)):
        assert len(table) == 32 and table.kind == "released" and table.space.name == family
        assert list(table.labels) == ["acc", "latency_gpu", "latency_cpu", "latency_npu", "flops_m"]
        assert table.labels["acc"].between(0.5, 0.9).all() and (table.labels > 0).all(axis=None)
        assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cache_of_two_families_or_another_space_is_refused(reference: Path, toy: ab.SequenceSpace) -> None:
    folder = reference / "released_format"
    with pytest.raises(DataError, match="layers of mbconv2, mbconv3"):
        ab.data.load(folder / "ofa_mbv3_pn_onnx_ir_cache.pkl")
    with pytest.raises(DataError, match=r"ofa_pn_custom_cache\.pkl: entry 0: toy"):
        ab.data.load(folder / "ofa_pn_custom_cache.pkl", toy)


def test_a_cache_of_another_resolution_is_refused(tmp_path: Path) -> None:
    entry = {"original config": [150, [["mbconv3_e3_k3"] * 2] * 5], "acc": 0.7}
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps([entry]))
    with pytest.raises(DataError, match=r"mine\.pkl: ofa_mbv3: .*150"):
        ab.data.load(tmp_path / "mine.pkl")


def test_released_cache_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ofa_pn_custom_cache\.pkl.*autobuild data fetch released"):
        ab.data.load("released:ofa_pn", folder=tmp_path)


# -------------------------------------------------------------------- bundled tables


@pytest.fixture(params=["ofa_mbv3", "ofa_pn"])
def bundled(request: pytest.FixtureRequest) -> Bundled:
    """The manifest entry of each family."""
    return manifest()[request.param]


def test_bundled_tables(bundled: Bundled) -> None:
    table = ab.data.load(bundled.name)
    assert len(table) == bundled.rows == len(set(table.architectures)) == 3000
    assert {a.global_features["resolution"] for a in table.architectures} == {224} and table.space.name == bundled.name
    names = ["acc", "latency_gpu", "latency_cpu", "latency_npu", "flops_m"]
    assert list(table.labels) == list(table.noise_free) == names
    assert table.kind == "surrogate" and table.sha256 == bundled.sha256
    assert table.labels["acc"].between(0.6, 0.9).all() and (table.labels.to_numpy() > 0).all()


def test_bundled_files_have_the_checksum_of_the_manifest(bundled: Bundled) -> None:
    assert hashlib.sha256(bundled.path.read_bytes()).hexdigest() == bundled.sha256
    assert set(bundled.columns) == set(bundled.path.read_text().splitlines()[0].split(","))
    assert bundled.kind == "surrogate" and bundled.builder and bundled.source


def test_bundled_architectures_are_uniform(bundled: Bundled) -> None:
    table = ab.data.load(bundled.name)
    depths = np.array([a.depths for a in table.architectures])[:, :5]
    assert np.abs([(depths == d).mean(0) - 1 / 3 for d in (2, 3, 4)]).max() < 0.04  # 4.6 standard errors
    layers = [layer.split("_") for a in table.architectures for unit in a.to_lists() for layer in unit]
    for place in (1, 2):
        counts = np.unique([layer[place] for layer in layers], return_counts=True)[1]
        assert len(counts) == 3 and np.abs(counts / counts.sum() - 1 / 3).max() < 0.01


def test_noise_has_the_published_error(bundled: Bundled) -> None:
    table = ab.data.load(bundled.name)
    record = json.loads((files.FILES / "published_predictors.json").read_text())
    for label, stated in record[bundled.name].items():
        noise = (table.labels[label] - table.noise_free[label]).to_numpy()
        # of 3,000 Gaussian values: the mean absolute one has a standard error of 1.4 %, the mean 1.8 % of the sd
        assert np.abs(noise).mean() == pytest.approx(stated["mae"], rel=0.06)
        assert abs(noise.mean()) < 5 * noise.std() / np.sqrt(len(noise))
        assert abs(np.corrcoef(noise, table.noise_free[label])[0, 1]) < 0.09


def test_noise_free_labels_are_the_surrogates(bundled: Bundled) -> None:
    table = ab.data.load(bundled.name).take(range(0, 3000, 30))
    predicted = getattr(ab.surrogate, bundled.name)().predict(table.architectures)
    np.testing.assert_allclose(table.noise_free[list(predicted)], predicted, rtol=1e-4)


def test_flops_are_counted_and_carry_no_noise(bundled: Bundled) -> None:
    table = ab.data.load(bundled.name).take(range(0, 3000, 30))
    assert table.labels["flops_m"].tolist() == [ab.networks.count_macs(a) / 1e6 for a in table.architectures]
    assert table.noise_free["flops_m"].tolist() == table.labels["flops_m"].tolist()
    values = ab.Target("acc * 100 / flops_m").evaluate(table.labels)
    np.testing.assert_allclose(values * table.labels["flops_m"], table.labels["acc"] * 100)


def test_your_tables_of_a_family_get_flops_unless_they_have_them(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    space = ab.spaces.ofa_pn()
    one, two = space.sample(np.random.default_rng(0), 2)
    counted = ab.data.load(csv(tmp_path, "architecture,acc", f'"{one}",1', f'"{two}",2'), space)
    assert counted.labels["flops_m"].tolist() == [ab.networks.count_macs(a) / 1e6 for a in (one, two)]
    assert counted.noise_free is None and counted.describe()["labels"] == ["acc", "flops_m"]
    given = ab.data.load(csv(tmp_path, "architecture,flops_m", f'"{one}",1', f'"{two}",2'), space)
    assert given.labels.to_dict("list") == {"flops_m": [1.0, 2.0]}
    namesake = ab.SequenceSpace("ofa_pn", toy.units, dict(toy.layer_features))
    assert list(ab.data.load(csv(tmp_path, HEAD, f'"{A}",1'), namesake).labels) == ["acc"]


def test_corrupted_copy_is_refused_before_it_is_opened(
    bundled: Bundled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = bytearray(bundled.path.read_bytes())
    damaged[-3] ^= 1
    (tmp_path / bundled.file).write_bytes(damaged)
    monkeypatch.setattr(files, "FILES", tmp_path)
    monkeypatch.setattr(files, "read_cells", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(DataError, match=f"{bundled.file}: sha256 is [0-9a-f]+, the manifest says {bundled.sha256}"):
        ab.data.load(bundled.name)


def test_number_of_rows_is_checked(bundled: Bundled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "manifest", lambda: {bundled.name: dataclasses.replace(bundled, rows=2999)})
    with pytest.raises(DataError, match="3000 rows, the manifest says 2999"):
        ab.data.load(bundled.name)
