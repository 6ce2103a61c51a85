# Everything that a developer or CI does. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ifneq ($(filter-out help,$(MAKECMDGOALS)),)
INTERPRETER := $(shell scripts/find_python.sh "$(PYTHON)")
ifeq ($(INTERPRETER),)
$(error no usable Python interpreter, see the line above)
endif
TAG := $(shell $(INTERPRETER) -c 'import sys; print("py%d%d" % sys.version_info[:2])')
# What cargo commands besides maturin build the extension for.
export PYO3_PYTHON := $(INTERPRETER)
endif

# Where this is set to anything but cargo's program (its folder, say), maturin would try to run it.
unexport CARGO

# One cargo folder and one test environment an interpreter: switching recompiles nothing.
# `.venv` holds the release build, the test environment a quick build with PyO3's reference pool taken out,
# so that a Python reference dropped by detached code aborts the test. Both are installed as wheels: an editable
# install would put the extension into python/data_bridge, where each build overwrites the other's.
export CARGO_TARGET_DIR ?= target/$(TAG)
VENV := .venv
TEST_VENV := .venv-test-$(TAG)
TEST := $(TEST_VENV)/bin
TEST_FLAGS := --cfg pyo3_disable_reference_pool

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call environment,FOLDER,GROUP): a virtual environment of the interpreter with a dependency group of pyproject.toml.
define environment
	@if [ "$$(cat $(1)/.interpreter 2>/dev/null)" != "$(INTERPRETER)" ]; then \
	  rm -rf $(1) && $(INTERPRETER) -m venv $(1) && echo "$(INTERPRETER)" > $(1)/.interpreter; fi
	@if [ ! -e $(1)/.$(2) ] || [ pyproject.toml -nt $(1)/.$(2) ]; then \
	  $(1)/bin/python -m pip install --quiet --upgrade 'pip>=25.1' && \
	  $(1)/bin/python -m pip install --quiet --group $(2) && touch $(1)/.$(2); fi
endef

# $(call install,FOLDER,OPTIONS): the package, built with these options of maturin, in that environment.
define install
	@rm -rf $(1)/wheel
	$(1)/bin/maturin build --quiet --interpreter $(1)/bin/python --compatibility linux --out $(1)/wheel $(2)
	@$(1)/bin/python -m pip uninstall --quiet --yes data_bridge 2>/dev/null
	@$(1)/bin/python -m pip install --quiet $(1)/wheel/*.whl
endef

.PHONY: build
build: ## a release build, importable in .venv (PYTHON=… picks the interpreter)
	$(call environment,$(VENV),build)
	$(call install,$(VENV),--release)

.PHONY: serve
serve: build ## build, then serve examples/hello.py on http://127.0.0.1:8000
	@echo "Try:  curl http://127.0.0.1:8000/hello"
	$(VENV)/bin/data-bridge run hello:app --app-dir examples

.PHONY: test-build
test-build: export RUSTFLAGS += $(TEST_FLAGS)
test-build: export CARGO_TARGET_DIR := $(CARGO_TARGET_DIR)/test
test-build:
	$(call environment,$(TEST_VENV),test)
	$(call install,$(TEST_VENV),--profile quick --features testing)

.PHONY: test
test: test-build test-rust lint ## everything: cargo test, lint, pytest
	$(TEST)/python -m pytest

.PHONY: test-rust
test-rust: ## cargo test of the crates that know no Python, and the loom proof of the inbox
	cargo test --profile quick -p api -p loopcore -p native-example -p data-bridge-abi -p data-bridge-sdk
	CARGO_TARGET_DIR=target/modules cargo test --profile quick --manifest-path examples/native_wheel/Cargo.toml
	RUSTFLAGS="--cfg data_bridge_loom" CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/loom cargo test --profile quick -p loopcore

.PHONY: lint
lint: test-build ## formatting, clippy, ruff, mypy, stubtest
	cargo fmt --check
	! cargo tree -p api -e normal | grep pyo3  # HTTP does not know Python
	! cargo tree -p data-bridge-sdk -e normal | grep pyo3  # nor do users' handlers
	cargo clippy --profile quick --workspace --all-targets -- -D warnings
	$(TEST)/ruff check
	$(TEST)/ruff format --check
	$(TEST)/mypy
	$(TEST)/python -m mypy.stubtest --ignore-unused-allowlist --allowlist tests/stubtest.allow data_bridge._native

# The benchmarks make an environment and a release build of their own, always for the same CPython.
bench bench-loop bench-json: TAG := py313

.PHONY: bench
bench: ## HTTP benchmarks against the peers (half an hour; needs wrk, nginx, strace)
	$(INTERPRETER) benchmarks/http.py
	$(INTERPRETER) benchmarks/render.py

.PHONY: bench-loop
bench-loop: ## event loop benchmarks against asyncio, uvloop and rloop
	$(INTERPRETER) benchmarks/loops.py
	$(INTERPRETER) benchmarks/render.py

.PHONY: bench-json
bench-json: ## JSON benchmarks against orjson, msgspec, pydantic_core and json
	$(INTERPRETER) benchmarks/json.py
	$(INTERPRETER) benchmarks/render.py

.PHONY: bench-native
bench-native: build ## handlers of a user's module against one of the tree and the same route in Python; installs FastAPI into .venv (needs wrk)
	cargo build --release -p native-benchmark
	$(VENV)/bin/python -m pip install --quiet fastapi 'uvicorn[standard]' ./examples/native_wheel
	$(VENV)/bin/python -m benchmarks.native $(CARGO_TARGET_DIR)/release/native-benchmark

.PHONY: bench-uploads
bench-uploads: build ## a multipart form of 1 GiB: CPU and memory beside Starlette's, whose package it installs into .venv
	$(VENV)/bin/python -m pip install --quiet starlette python-multipart pydantic
	$(VENV)/bin/python benchmarks/uploads.py

.PHONY: coverage
coverage: test-build ## lines that the tests reach, of Python, and of Rust where cargo-llvm-cov is installed
	RUSTFLAGS="$(RUSTFLAGS) $(TEST_FLAGS)" scripts/coverage.sh $(TEST)

.PHONY: conformance
conformance: conformance-fastapi conformance-app autobahn h2spec browser ## suites that others wrote: CPython's asyncio tests on every Python found (PYTHON=… for one), FastAPI's tests, Autobahn, h2spec; Chromium
	@failed=0; for python in $$(scripts/find_python.sh --all "$(PYTHON)"); do \
	  env -u CARGO_TARGET_DIR $(MAKE) --no-print-directory conformance-here PYTHON=$$python || failed=1; done; exit $$failed

.PHONY: conformance-here
conformance-here: test-build
	@$(TEST)/python tests/conformance/run.py

.PHONY: h2spec
h2spec: test-build ## h2spec, strict, over TLS and clear text (installs it by Go, says so where that is missing; two minutes)
	PYTHONPATH=. $(TEST)/python tests/conformance/http2/h2spec.py

.PHONY: autobahn
autobahn: test-build ## the Autobahn suite against our WebSockets (needs Python 2.7, says so where it is missing; ten minutes)
	PYTHONPATH=. $(TEST)/python tests/conformance/websocket/autobahn.py

# Twenty documents are made of each value; each of three properties of proptest has its own cases.
.PHONY: fuzz
fuzz: export JSON_EXAMPLES ?= 50000
fuzz: export PROPTEST_CASES ?= 100000
fuzz: test-build fuzz-http1 ## JSON beside json, orjson, serde_json, HTTP/1 beside hyper and where coverage leads: millions of inputs (fifteen minutes)
	$(TEST)/python -m pytest -q -o faulthandler_timeout=0 tests/json/test_differences.py
	JSON_EXAMPLES=$$(($$JSON_EXAMPLES / 10)) $(TEST)/python -m pytest -q -o faulthandler_timeout=0 tests/json/test_dumps.py tests/json/test_dumps_orjson.py
	cargo test --profile quick -p api --test json random
	cargo test --profile quick -p api --test http1

# libFuzzer without a nightly toolchain: what `-Z sanitizer` would add to each unit, said to LLVM itself. A target is named,
# since build scripts must not have these flags.
.PHONY: fuzz-http1
fuzz-http1: export CARGO_TARGET_DIR := $(CURDIR)/target/fuzz
fuzz-http1: export RUSTFLAGS := -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table trace-compares)
fuzz-http1: export FUZZ_SECONDS ?= 300
fuzz-http1: HOST = $(shell rustc -vV | sed -n 's/^host: //p')
fuzz-http1: ## the HTTP/1 codec, fuzzed where coverage leads (needs a C++ compiler; FUZZ_SECONDS=300)
	cargo build --release --manifest-path fuzz/Cargo.toml --target $(HOST)
	$(INTERPRETER) fuzz/seeds.py $(CARGO_TARGET_DIR)/seeds
	mkdir -p $(CARGO_TARGET_DIR)/corpus
	$(CARGO_TARGET_DIR)/$(HOST)/release/http1 -max_total_time=$$FUZZ_SECONDS -max_len=1000 -dict=fuzz/http1.dict \
	  -artifact_prefix=$(CARGO_TARGET_DIR)/ -print_final_stats=1 $(CARGO_TARGET_DIR)/corpus $(CARGO_TARGET_DIR)/seeds

# PYTHONMALLOC: each object is a block of its own, whose bounds and end valgrind sees.
.PHONY: valgrind-json
valgrind-json: test-build ## JSON: documents of every kind under valgrind (Linux; five minutes)
	PYTHONMALLOC=malloc valgrind --quiet --error-exitcode=3 --suppressions=tests/json/cpython.supp \
	  --read-inline-info=no --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite $(TEST)/python -m tests.json.memory

.PHONY: valgrind-native
valgrind-native: test-build ## native handlers of other modules: answers, panics, clients that leave, under valgrind (Linux; two minutes)
	PYTHONPATH=. $(TEST)/python -m tests.native.memory

.PHONY: browser
browser: test-build ## Chromium against our WebSockets, HTTP and TLS, and without a network on /docs and /redoc (says so where there is none)
	PYTHONPATH=. $(TEST)/python tests/conformance/websocket/browser.py
	PYTHONPATH=. $(TEST)/python tests/conformance/pages.py

.PHONY: soak
soak: test-build ## millions of wake-ups, connections, loops and children, load and faults: all stays flat; restarts, lost workers, saves (fifty minutes)
	$(TEST)/python tests/soak/run.py

.PHONY: soak-hour
soak-hour: test-build ## an hour of mixed load and faults on the server: memory, descriptors and tasks stay as they are
	$(TEST)/python tests/soak/server.py 3600

.PHONY: limits
limits: test-build ## slow clients beside a thousand good ones, 1 GiB up and down, floods, no descriptors, a stop (four minutes)
	$(TEST)/python tests/soak/limits.py

.PHONY: conformance-fastapi
conformance-fastapi: test-build ## FastAPI's own tests on genuine FastAPI with our plan in front, and over real sockets (downloads them)
	$(TEST)/python tests/conformance/fastapi/run.py

.PHONY: conformance-app
conformance-app: test-build ## FastAPI's own tests on data_bridge.fastapi: passed, lost, borrowed (downloads them; eight minutes)
	$(TEST)/python tests/conformance/fastapi/on_app.py

.PHONY: conformance-schemathesis
conformance-schemathesis: test-build ## 2,000 requests that schemathesis makes from a rich app's OpenAPI, to our App, to FastAPI on our server, to uvicorn
	$(TEST)/python tests/conformance/schemathesis/run.py
