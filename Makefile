# make figures     the main job: every figure at the quick scale, and figures/index.html that shows them
# make test        the tests that tell
# make test-slow   those that are exhaustive, and more draws of those that draw their input
# All set up .venv first: with uv where it is installed, otherwise with venv and pip. requirements.txt pins what goes
# in; --no-deps because neural-tangents' own metadata asks for TensorFlow, which infojax does not need.

PYTHON ?= python3
SCALE ?= quick
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
NEW_VENV = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --no-deps
else
NEW_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
endif

.PHONY: figures test test-slow lint setup setup-dev test-oldest test-oldest-run lock clean

figures: $(VENV)/.ready
	$(BIN)/python -m paper_figures --scale $(SCALE)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/.ready
	$(BIN)/python -m pytest -m "slow or hypothesis" --hypothesis-profile=exhaustive

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

setup: $(VENV)/.ready

setup-dev: $(VENV)/.ready-dev

$(VENV)/.ready: requirements.txt pyproject.toml
	$(NEW_VENV)
	$(INSTALL) -r requirements.txt
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# The oldest JAX that is supported, in an environment of its own.
test-oldest:
	$(MAKE) setup VENV=.venv-oldest
	$(MAKE) --no-print-directory test-oldest-run VENV=.venv-oldest

test-oldest-run:
	$(INSTALL) jax==0.9.2 jaxlib==0.9.2 flax==0.12.6
	$(BIN)/python -m pytest --hypothesis-profile=exhaustive

# The pins, for every supported Python. Needs uv, whose overrides leave TensorFlow out.
lock:
	uv pip compile --quiet --universal --no-header --no-annotate --extra test pyproject.toml \
		| grep -v "sys_platform == 'never'" > requirements.txt
	uv pip compile --quiet --universal --no-header --no-annotate --extra dev -c requirements.txt pyproject.toml \
		| grep -v "sys_platform == 'never'" | grep -v -x -F -f requirements.txt > requirements-dev.txt

clean:
	rm -rf $(VENV) .venv-oldest figures results
