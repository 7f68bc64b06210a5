"""The page: rows as they are, names that hold markup, headings, and choices."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from autobuild_book.chapters.board import page, results
from autobuild_book.chapters.board.measuring import ROWS, BoardRow


def means_of(*keys: tuple[str, str, int]) -> pd.DataFrame:
    made = [
        BoardRow(f"nas-bench-graph:{table}", "acc", model, size, seed, 0.5 + seed / 10, 0.4, 0, 7 + seed, 0.1, 2, 1, "")
        for table, model, size in keys for seed in range(3)
    ]  # fmt: skip
    return results.summary(pd.DataFrame([vars(row) for row in made], columns=list(ROWS.columns)))


class Reader(HTMLParser):
    """The cells of a table with their values, and the options of the lists."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[tuple[str, str | None]]] = []
        self.options: list[tuple[str | None, bool]] = []
        self.open = ""
        self.value: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open, self.value = tag, dict(attrs).get("data-value")
        if tag == "tr":
            self.rows.append([])
        if tag == "option":
            self.options.append((dict(attrs)["value"], "selected" in dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open == "td":
            self.rows[-1].append((data, self.value))
            self.open = ""


def test_cells_are_texts_sorted_by_numbers() -> None:
    read = Reader(page.sortable(means_of(("cora", "a", 1000), ("cora", "b", 50))))
    _, first, second = read.rows
    assert [text for text, _ in first][:3] == ["cora", "a", "1000"] and first[2][1] == "1000"
    assert first[3] == ("0.600 [0.352, 0.848]", "0.6") and first[6] == ("8 (7 to 9)", "8")
    assert first[8] == ("3.00", "3") and [text for text, _ in second][1] == "b"


def test_a_choice_for_each_value_and_the_first_size_is_chosen() -> None:
    read = Reader(page.sortable(means_of(("cora", "a", 1000), ("cs", "a", 50)), size=50))
    assert [value for value, _ in read.options] == ["", "cora", "cs", "", "a", "", "1000", "50"]
    assert [value for value, chosen in read.options if chosen] == ["50"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'a" onclick="x', "a & b"])
def test_names_are_text(name: str) -> None:
    text = page.sortable(means_of(("cora", name, 50)))
    assert name not in text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert Reader(text).rows[1][1][0] in (name, name.partition("&")[0])


def test_it_needs_no_network_and_can_be_read_aloud() -> None:
    text = page.sortable(means_of(("cora", "a", 50)))
    assert not re.search(r"https?:|src=|@import|url\(", text)
    assert len(re.findall('<th scope="col"', text)) == len(page.COLUMNS) == text.count('<button type="button">')
    assert '<div class="board-rows" tabindex="0" role="region" aria-label=' in text and "<caption>" in text
