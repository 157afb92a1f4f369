# make run   the main job on the CDNOW example     make test   lint, types and tests
PYTHON ?= python3
PY := .venv/bin/python
INSTALL := PIP_CONSTRAINT=constraints.txt $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: run test

run: .venv/ready
	.venv/bin/patronage demo .
	.venv/bin/patronage run --config patronage.toml

test: .venv/ready-to-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest $(PYTEST_ARGS)

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	touch $@

.venv/ready-to-test: .venv/ready  # with the tools of developers, PostgreSQL's driver and Spark
	$(INSTALL) -e '.[dev]'
	touch $@
