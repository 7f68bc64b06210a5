"""The same book without Jupyter Book: plain Sphinx with MyST-NB, the book's theme and sphinx-external-toc.

From the root of the repository, once `make pages` has written artifacts/book:

    .venv/bin/sphinx-build -c book/sphinx -W -n --keep-going . _build/sphinx

What Jupyter Book is told stands in _config.yml and is read from there. Jupyter Book also brings the packages below
(`extensions`); without it they are installed by name.
"""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
SETTINGS = dict(BOOK["sphinx"]["config"])
sys.path += sorted({str(ROOT / folder) for folder in BOOK["sphinx"]["local_extensions"].values()})

html_title, author, copyright = BOOK["title"], BOOK["author"], BOOK["copyright"]
extensions = [
    "myst_nb",
    "sphinx_book_theme",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_external_toc",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
    *BOOK["sphinx"]["extra_extensions"],
    *BOOK["sphinx"]["local_extensions"],
]
exclude_patterns = ["_build", *BOOK["exclude_patterns"]]
external_toc_path = "book/_toc.yml"
external_toc_exclude_missing = BOOK["only_build_toc_files"]
nb_execution_mode = BOOK["execute"]["execute_notebooks"]
nb_output_stderr = BOOK["execute"]["stderr_output"]
myst_enable_extensions = BOOK["parse"]["myst_enable_extensions"]
bibtex_bibfiles = [str(ROOT / file) for file in BOOK["bibtex_bibfiles"]]
numfig = True
html_theme = "sphinx_book_theme"
html_sourcelink_suffix = ""
html_theme_options = {
    **{name: value for name, value in BOOK["html"].items() if name.startswith("use_")},
    "extra_footer": BOOK["html"]["extra_footer"],
    "home_page_in_toc": BOOK["html"]["home_page_in_navbar"],
    "repository_url": BOOK["repository"]["url"],
    "repository_branch": BOOK["repository"]["branch"],
    "launch_buttons": BOOK["launch_buttons"],
    **SETTINGS.pop("html_theme_options"),
}
SETTINGS["html_static_path"] = [str(ROOT / folder) for folder in SETTINGS["html_static_path"]]
globals().update(SETTINGS)
