# From a fresh clone: `make book` builds the book, `make test` runs the tests. `make help` lists the rest.

PROFILE ?= standard
CORES ?= all
ONLY ?=
BEFORE ?=
SEED ?=
WORKERS ?= 2
WHEELS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Succeeds in a Python that the pins are for and that can make an environment.
USABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
ifndef PYTHON
PYTHON := $(or $(shell for python in python3.14 python3.13 python3.12 python3.11; do \
  "$$python" -c "$(USABLE)" 2>/dev/null && echo "$$python" && break; done),python3)
endif

ifneq ($(words $(PROFILE))/$(filter $(PROFILE),quick standard paper),1/$(PROFILE))
$(error PROFILE is "$(PROFILE)"; it must be quick, standard or paper)
endif
ifneq ($(WHEELS),)
ifeq ($(filter wheels,$(MAKECMDGOALS))$(wildcard $(WHEELS)/*.whl),)
$(error WHEELS is "$(WHEELS)", a folder without wheels)
endif
endif

# Our pins replace constraints from the user's pip settings, which could contradict them; a .venv takes no --user install.
pip = PIP_CONSTRAINT=constraints.txt PIP_USER=0 $(BIN)/python -m pip --disable-pip-version-check
check_python = $(if $(shell { $(PYTHON) -c "$(USABLE)" && echo yes; } 2>/dev/null),, \
	$(error needs Python 3.11 to 3.14 with its venv, but "$(PYTHON)" is $(or $(shell { $(PYTHON) -V; } 2>/dev/null),missing); \
	say which one with PYTHON=/path/to/python3.12))
# An environment of another Python would mix two: it is made anew.
VERSION := import sys; print(*sys.version_info[:2])
define make_venv
@test "$$($(BIN)/python -c '$(VERSION)' 2>&1)" = "$$($(PYTHON) -c '$(VERSION)')" || rm -rf $(VENV)
$(PYTHON) -m venv $(VENV)
endef

# What runs below finds the tools of .venv first, and no packages from outside it.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME

# "n" among the single-letter options that `make` was called with.
DRY_RUN := $(if $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),--dry-run)

.PHONY: help book chain pages layout labs dist epub pdf test test-all test-book check-book bench install wheels constraints clean
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  PROFILE=quick|standard|paper (now $(PROFILE)), CORES=$(CORES), PYTHON=$(PYTHON), WHEELS=folder (install offline)"

book: $(STAMP) ## run the notebooks and build the book, also when a notebook fails
	@$(BIN)/autobuild chain --profile $(PROFILE) --cores $(CORES) --pages

# The + runs it under `make -n` too, which then lists what would run, and why.
chain: $(STAMP) ## run the notebooks that changed, into artifacts/PROFILE (`make -n chain` lists them); ONLY=05_panoptic: one
	+@$(BIN)/autobuild chain --profile $(PROFILE) --cores $(CORES) $(ONLY:%=--only %) $(DRY_RUN)

pages: $(STAMP) ## build the pages from the notebooks of PROFILE, without running them
	@$(BIN)/autobuild book --profile $(PROFILE)

epub: $(STAMP) ## make one EPUB of the built pages, beside them (needs `make pages` or `make book` before)
	@$(BIN)/python -m autobuild_book.onefile epub

pdf: $(STAMP) ## make one PDF of the built pages, with Chromium (installed when missing)
	bash tests/browser/install.sh
	@$(BIN)/python -m autobuild_book.onefile pdf

layout: $(STAMP) ## write the layout in README.md from the docstrings of the packages
	@$(BIN)/python -m autobuild_book.pages.layout

labs: $(STAMP) ## write the labs' student notebooks, and zip files into artifacts/labs; SEED=7: with other numbers
	@$(BIN)/autobuild labs make$(if $(SEED), --seed $(SEED))

dist: $(STAMP) ## build wheels and sdists of both packages into artifacts/dist
	@$(BIN)/python -m autobuild_book.distributions

test: $(STAMP) ## check style and types, run the tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-all: $(STAMP) ## the same, slow tests included
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not browser"

test-book: $(STAMP) ## test the pages of the built book
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m book

check-book: $(STAMP) ## open every page of the built book in Chromium (installed when missing): errors, links, accessibility
	bash tests/browser/install.sh
	$(BIN)/python -m pytest -m browser tests/browser
	$(BIN)/python -m tests.browser

bench: $(STAMP) ## compare speeds with plain baselines, or BEFORE=../earlier-worktree, into artifacts/benchmarks.json
	$(BIN)/python -m tests.benchmarks$(if $(BEFORE),.before "$(BEFORE)" $(if $(ONLY),--only "$(ONLY)"))

install: $(STAMP) ## make .venv with the pinned packages, nothing else

$(STAMP): pyproject.toml constraints.txt
	$(check_python)
	$(make_venv)
	$(pip) install $(if $(WHEELS),--no-index --find-links "$(WHEELS)") -e '.[benchmarks,book,cluster,sd,test]'
	touch $@

wheels: ## download every pinned package into WHEELS (default: wheels), for machines without a network
	$(check_python)
	$(make_venv)
	$(pip) download --dest "$(or $(WHEELS),wheels)" '.[benchmarks,book,cluster,sd,test]' setuptools

# With the oldest Python: what serves it serves the newer ones, and not the other way around.
constraints: PYTHON := python3.11
constraints: ## pin what a fresh install brings, in constraints.txt and environment.yml
	$(check_python)
	rm -rf build/fresh
	$(PYTHON) -m venv build/fresh
	PIP_USER=0 build/fresh/bin/python -m pip install -e '.[benchmarks,book,cluster,sd,test]'
	{ echo "# Everything that \`pip install -e '.[benchmarks,book,cluster,sd,test]'\` installs, exactly. Written by \`make constraints\`, with Python 3.11 on"; \
	  echo "# Linux x86-64. PyTorch is pinned without its build: torch==2.13.0 is met by the CPU build and by the CUDA builds."; \
	  build/fresh/bin/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+cpu$$//'; } > constraints.txt
	awk -F == 'NR == FNR {pin[$$1] = $$2; next} / - [A-Za-z0-9_-]+==/ {name = $$1; sub(/ *- /, "", name); $$0 = $$1 "==" pin[name]} {print}' \
	  constraints.txt environment.yml > build/environment.yml
	mv build/environment.yml environment.yml
	rm -rf build/fresh

clean: ## remove what was built: artifacts, pages and caches; .venv stays
	rm -rf artifacts _build build .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
