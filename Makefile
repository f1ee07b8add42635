# Two commands matter: `make lab` opens the course, `make test` proves that everything works.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest

.PHONY: lab test check bench soak setup clean packages

lab: $(VENV)/.installed
	@scripts/lab

test: packages $(VENV)/.tested check
	$(PYTEST) tests
	scripts/test-notebooks

check: $(VENV)/.tested
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PYTHON) scripts/check_imports.py
	$(PYTHON) scripts/check_notebooks.py

bench: $(VENV)/.tested
	scripts/install-bench-peers
	$(PYTHON) benchmarks/launch.py

soak: packages $(VENV)/.tested
	$(PYTEST) tests -m soak

packages:
	@scripts/install-system-packages

$(VENV)/.installed: pyproject.toml
	@scripts/make-venv $(VENV)
	$(PYTHON) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PYTHON) -m pip install --quiet --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info tests/browser/artefacts
