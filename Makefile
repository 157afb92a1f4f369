# make run   the main job on the CDNOW example     make test   lint, types and tests
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: run test environment

run: environment
	.venv/bin/patronage demo .
	.venv/bin/patronage run --config patronage.toml

test: environment
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest $(PYTEST_ARGS)

environment: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@
