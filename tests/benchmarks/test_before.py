"""What is concluded from two builds' measurements, by hand."""

from pathlib import Path

import pytest

from tests.benchmarks import before


def spent(wall: float, cpu: float, peak: float) -> dict[str, float]:
    return {"wall_s": wall, "cpu_s": cpu, "peak_mb": peak}


def test_summary() -> None:
    ours = [spent(2, 4, 10), spent(1, 2, 30), spent(4, 3, 20)]
    earlier = [spent(6, 4, 5), spent(5, 6, 5), spent(4, 9, 5)]
    result = before.summary("a", list(zip(ours, earlier, strict=True)))
    assert (result["ours_s"], result["baseline_s"], result["ratios"], result["ratio"]) == (1, 4, [3, 5, 1], 3)
    assert (result["ours_cpu_s"], result["baseline_cpu_s"], result["cpu_ratio"]) == (2, 4, 3)
    assert (result["ours_peak_mb"], result["baseline_peak_mb"]) == (20, 5)
    assert "3.00 times faster (1.00 to 5.00)" in before.line(result)


def test_slopes() -> None:
    name = "4 epochs of an IR predictor, paper, {} graphs"
    sizes = [
        {"name": name.format(number), "ours_cpu_s": number / 1000 + 1, "baseline_cpu_s": number / 250}
        for number in (1000, 2000, 5000)
    ]
    others = [{"name": before.LARGE + name.format(50_000)}, {"name": "norm scores"}]
    fit = before.slopes([*others, *sizes])
    assert fit is not None
    numbers = [fit["ours_s"], fit["ours_at_none_s"], fit["baseline_s"], fit["baseline_at_none_s"], fit["ratio"]]
    assert numbers == pytest.approx([1, 1, 4, 0, 4])
    assert before.slopes(sizes[1:]) is None


def test_a_folder_without_the_library_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["before", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        before.main()
    assert str(tmp_path) in capsys.readouterr().err
