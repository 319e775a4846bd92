# make demo: try it. make test: test it. Both do all the set-up, with nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=
TOGETHER := --numprocesses=auto --maxprocesses=4 --dist=loadfile

.PHONY: demo run test check lint types coverage lock clean

demo: $(VENV)/run.stamp
	$(RUN) -m bot demo $(ARGS)

run: $(VENV)/run.stamp
	$(RUN) -m bot run

test: $(VENV)/test.stamp
	$(RUN) -m pytest $(TOGETHER) $(ARGS)

check: lint types coverage

lint: $(VENV)/test.stamp
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

types: $(VENV)/test.stamp
	$(RUN) -m mypy

coverage: $(VENV)/test.stamp
	$(RUN) -m pytest $(TOGETHER) --cov --cov-report=term-missing:skip-covered --cov-fail-under=90 $(ARGS)

# A lock names hashes and no index: two machines get the same tree.
$(VENV)/run.stamp: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Atelier needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

$(VENV)/test.stamp: requirements-test.lock $(VENV)/run.stamp
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

# Needs uv (pip install uv); run it after changing pyproject.toml.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q --extra test --extra check pyproject.toml -o requirements-test.lock

clean:
	rm -rf $(VENV) demo-data demo-output
