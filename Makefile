# Two commands matter: `make lab` opens the course, `make test` proves that everything works.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest

# The programs of a virtual environment name the folder it was made in. In a folder that was moved or copied
# they would not start, or be the old folder's: make it anew.
ifneq ($(wildcard $(VENV)/bin/mdock),)
ifeq ($(shell head -n 3 $(VENV)/bin/mdock | grep -cF '$(CURDIR)/$(VENV)/'),0)
$(info This folder was moved or copied: its virtual environment is made anew.)
$(shell rm -rf $(VENV))
endif
endif

.PHONY: lab course site setup test check bench corpus soak elsewhere clean packages

lab: $(VENV)/.installed
	@scripts/lab

# What `make lab` needs, and the programs that make it better (strace, busybox), without opening anything.
setup: packages $(VENV)/.installed
	$(VENV)/bin/mdock demo

course: $(VENV)/.installed
	@$(VENV)/bin/udock-lab course course

# The lessons with the outputs that they hold, as pages in build/site/html. Nothing is executed.
site: $(VENV)/.site
	$(PYTHON) scripts/make_site.py

test: packages $(VENV)/.tested check
	scripts/test

check: $(VENV)/.tested
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy scripts/*.py site/lessonpages.py
	$(PYTHON) scripts/check_imports.py
	$(PYTHON) scripts/draw_architecture.py --check
	$(PYTHON) scripts/check_notebooks.py
	$(PYTHON) scripts/check_minutes.py
	$(PYTHON) scripts/check_names.py
	$(PYTHON) scripts/check_test_settings.py

bench: $(VENV)/.tested
	scripts/install-bench-peers
	$(PYTHON) benchmarks/launch.py
	$(PYTHON) benchmarks/commands.py
	$(PYTHON) benchmarks/hub.py

# Every answer of the corpus and every attack, or one part (PART=3); `make test` judges one in 32, each time others.
corpus: packages $(VENV)/.tested
	$(PYTEST) tests/exercises/test_corpus.py tests/exercises/test_hostile.py --corpus $(or $(PART),all) -n auto

soak: packages $(VENV)/.tested
	$(PYTEST) tests -m 'soak or in_turn' --turn all

# On other machines (MACHINES="trixie forky vm arm64"), as root and as an ordinary user; CONTRIBUTING tells what it takes.
elsewhere:
	@scripts/elsewhere $(MACHINES)

packages:
	@scripts/install-system-packages

$(VENV)/.installed: pyproject.toml
	@echo "Python: a virtual environment in $(VENV)/"
	@scripts/make-venv $(VENV)
	@echo "Packages: udock-lab and JupyterLab, into $(VENV)/ (a few minutes, the first time)"
	@$(PYTHON) -m pip install --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "Packages: what the tests need, into $(VENV)/"
	@$(PYTHON) -m pip install --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.site: $(VENV)/.installed
	@echo "Packages: what builds the site, into $(VENV)/"
	@$(PYTHON) -m pip install --disable-pip-version-check --editable '.[site]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info tests/browser/artefacts
