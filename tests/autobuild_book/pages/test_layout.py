"""README's layout is that of the packages' docstrings."""

from pathlib import Path

import pytest

from autobuild_book.pages import layout

ROOT = Path(__file__).resolve().parents[3]


def test_the_readme_has_the_layout_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert layout.with_layout(readme, ROOT) == readme, "run make layout"


def test_every_package_and_module_says_what_it_is() -> None:
    for house in layout.HOUSES:
        for path in (ROOT / house).rglob("*.py"):
            assert layout.first_sentence(path).endswith((".", "?")), path


def test_the_layout_follows_the_docstrings(tmp_path: Path) -> None:
    for name, text in {"autobuild_lib/__init__": "The method. More.", "autobuild_lib/a/__init__": "Part\n    a. No.",
                       "autobuild_lib/a/b": "Hidden.", "autobuild_lib/c": "Module c.",
                       "autobuild_book/__init__": "The rest.", "autobuild_book/chapters/__init__": "All chapters.",
                       "autobuild_book/chapters/one/__init__": "The first."}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.py").write_text(f'"""{text}"""\n')
    lines = [line.split(maxsplit=1) for line in layout.layout(tmp_path).splitlines()[:7]]
    assert lines[:6] == [
        ["autobuild_lib/", "The method."], ["a/", "Part a."], ["c.py", "Module c."],
        ["autobuild_book/", "The rest."], ["chapters/", "All chapters."], ["one/", "The first."],
    ]  # fmt: skip
    assert layout.with_layout("# R\n\n## Layout\n\nold\n\n## More\n", tmp_path).endswith("\n\n## More\n")


@pytest.mark.parametrize("text", ["", "## Layout\n", "## Other\n\n## More\n"])
def test_a_readme_without_the_section_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Layout"):
        layout.with_layout(text, ROOT)
