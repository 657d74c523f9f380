# make demo    install what the main job needs into .venv and run it
# make test    install the test extra and pass every check and test
# make sanitize  the C++ tests under the address and undefined-behaviour sanitizers (some minutes)
# make docs    build the documentation as a site, site/index.html; a link that leads nowhere is an error
# make wheel   build a wheel and try it in an empty environment without a compiler
# make clean   remove what the others made
#
# Everything is pinned by constraints.txt. A second run installs nothing.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WHAT_IS_INSTALLED := pyproject.toml constraints.txt CMakeLists.txt $(wildcard src/gruworks/ops/native/*)

.PHONY: demo test lint docs sanitize wheel clean

demo: .venv/.demo
	$(BIN)/gruworks demo

test: lint
	$(BIN)/python -m pytest

docs: .venv/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

sanitize:
	sh tests/native/run

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The test extra contains the demo extra: what .test installs serves .demo too.
.venv/.test: $(WHAT_IS_INSTALLED) | .venv/bin/python
	$(PIP) -e '.[test]'
	@touch .venv/.demo .venv/.test

.venv/.demo: $(WHAT_IS_INSTALLED) | .venv/bin/python
	$(PIP) -e '.[demo]'
	@touch .venv/.demo

# A PATH with the environment alone and a compiler that fails prove that the wheel needs none.
wheel: | .venv/bin/python
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	rm -rf build/empty && $(PYTHON) -m venv build/empty
	CC=false CXX=false build/empty/bin/python -m pip install --quiet --disable-pip-version-check \
	  --only-binary=:all: -c constraints.txt dist/gruworks-*.whl
	cd build && empty/bin/python ../tests/smoke.py && empty/bin/gruworks doctor

clean:
	rm -rf .venv build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
