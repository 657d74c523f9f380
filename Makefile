# make demo    install what the main job needs into .venv and run it
# make test    install the test extra and pass every check and test, in two processes (WORKERS)
# make quick   the checks, and the tests that mirror what differs from main; IN=tests/nn: those of a folder or file
# make lint    the checks alone: ruff, mypy, import-linter, and that what docs/make.py makes is current
# make sanitize  the C++ tests under the address and undefined-behaviour sanitizers (some minutes)
# make clang   the same compiled by Clang (CLANG), without sanitizers
# make cross   the C++ tests compiled for macOS on Arm and for Windows by zig, of PyPI; the latter run where wine is
# make edge-arm  the C that models are written as, on Cortex-M4 and M7 in QEMU (gcc-arm-none-eabi, qemu-system-arm)
# make edge-wasm  the same as WebAssembly, compiled by zig, of PyPI, and run in Node
# make playground  the models of docs/playground as WebAssembly, compiled by zig, of PyPI; see docs/edge.md
# make test-aarch64  the C++ tests and those of ops, on aarch64 Linux by qemu; scripts/test-aarch64 names what it needs
# make fuzz    load and use mutated files for a minute (FUZZ_SECONDS, FUZZ_SEED); 1 if any ends in more than an error line
# make audit   known vulnerabilities in the pinned versions; 3 if the data about them can't be reached
# make hashes  write requirements-hashed.txt anew from constraints.txt
# make docs    build the documentation as a site, site/index.html; a link that leads nowhere is an error
# make wheels  build the wheels for this machine, check them, and try them on Python 3.11, 3.12 and 3.13
# make clean   remove what the others made
#
# Everything is pinned by constraints.txt. A second run installs nothing. `make test HASHES=requirements-hashed.txt`
# takes only files whose sha256 is in there; what that doesn't list (torch, in the build that the machine offers, and
# what that asks for) comes by its version.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
HASHES ?=
WORKERS ?= 2
IN ?=
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
CLANG ?= clang++
WHAT_IS_INSTALLED := pyproject.toml constraints.txt $(HASHES) CMakeLists.txt $(wildcard src/gruworks/ops/native/*/*)

.PHONY: demo test quick lint fuzz audit hashes docs sanitize clang cross edge-arm edge-wasm playground test-aarch64 wheels clean

demo: .venv/.demo
	$(BIN)/gruworks demo

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

quick: lint
	$(BIN)/python .ci/quick --workers $(WORKERS) $(IN)

fuzz: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

audit: build/audit/.ready
	build/audit/bin/python .ci/audit

hashes: build/audit/.ready
	grep -v '^torch==' constraints.txt > build/pins.in
	build/audit/bin/uv pip compile --quiet --no-deps --generate-hashes --python-version 3.11.5 --no-header \
	  --no-annotate build/pins.in --output-file build/pins
	(grep '^#' requirements-hashed.txt; grep -v '^#' build/pins) > build/hashed && mv build/hashed requirements-hashed.txt

build/audit/.ready:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9' 'uv>=0.8'
	@touch $@

docs: .venv/.test
	PATH="$(CURDIR)/build/cross:$$PATH" NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

sanitize:
	sh tests/native/run

clang:
	CXX=$(CLANG) SANITIZE= sh tests/native/run

cross: build/cross/.ready
	CXX="build/cross/zig c++ -target aarch64-macos" SANITIZE= RUN=: sh tests/native/run
	CXX="build/cross/zig c++ -target x86_64-windows-gnu" SANITIZE= RUN="$(shell command -v wine || echo :)" \
	  sh tests/native/run

edge-arm: .venv/.test
	GRUWORKS_MACHINES=arm $(BIN)/python -m pytest tests/interop/c/test_machines.py

edge-wasm: .venv/.test build/cross/.ready
	PATH="$(CURDIR)/build/cross:$$PATH" GRUWORKS_MACHINES=wasm $(BIN)/python -m pytest tests/interop/c/test_machines.py

playground: .venv/.test build/cross/.ready
	PATH="$(CURDIR)/build/cross:$$PATH" $(BIN)/python docs/make_playground.py

build/cross/.ready:
	$(PYTHON) -m venv build/cross
	build/cross/bin/python -m pip install --quiet --disable-pip-version-check ziglang
	printf '#!/bin/sh\nexec "$(CURDIR)/build/cross/bin/python" -m ziglang "$$@"\n' > build/cross/zig && chmod +x build/cross/zig
	@touch $@

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make.py --check

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The test extra contains the demo extra: what .test installs serves .demo too.
.venv/.test: $(WHAT_IS_INSTALLED) | .venv/bin/python
	$(if $(HASHES),$(INSTALL) --require-hashes --no-deps -r $(HASHES))
	$(BIN)/python .ci/install test
	@touch .venv/.demo .venv/.test

.venv/.demo: $(WHAT_IS_INSTALLED) | .venv/bin/python
	$(BIN)/python .ci/install demo
	@touch .venv/.demo

wheels: .venv/.test
	$(BIN)/python scripts/wheels

test-aarch64: .venv/.test
	PYTHON=$(BIN)/python sh scripts/test-aarch64

clean:
	rm -rf .venv build dist site docs/playground/build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
