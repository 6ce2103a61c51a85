#!/usr/bin/env bash
# coverage.sh BIN: the tests with Python's lines counted, in the test environment whose programs are in BIN. Where
# cargo-llvm-cov is installed, Rust's are counted too: of the extension as the tests of Python use it, and of the crates
# that know no Python as cargo test does.
set -euo pipefail
bin=$1
rust=$(command -v cargo-llvm-cov || true)
if [ -n "$rust" ]; then
  CARGO_TARGET_DIR=$(realpath -m "$CARGO_TARGET_DIR/coverage")
  export CARGO_TARGET_DIR
  mkdir -p "$CARGO_TARGET_DIR"
  eval "$(cargo llvm-cov show-env --sh)"
  cargo llvm-cov clean --workspace
  # A few files for the thousands of processes that the tests start, instead of one each.
  export LLVM_PROFILE_FILE=${LLVM_PROFILE_FILE/-%p-%2m/-%8m}
  wheels=$CARGO_TARGET_DIR/wheel
  rm -rf "$wheels"
  "$bin/maturin" build --quiet --interpreter "$bin/python" --compatibility linux --out "$wheels" --profile quick --features testing
  "$bin/python" -m pip install --quiet --force-reinstall --no-deps "$wheels"/*.whl
fi
"$bin/python" -m coverage erase
# The soak's tests watch memory, which counting takes too. What fails is told at the end: the figures hold all the same.
failed=0
"$bin/python" -m coverage run -m pytest --ignore tests/loop/test_soak.py || failed=1
"$bin/python" -m coverage combine --quiet
"$bin/python" -m coverage report
if [ -n "$rust" ]; then
  cargo test --profile quick -p api -p loopcore
  cargo llvm-cov report --profile quick --summary-only
else
  echo "Rust was not measured: cargo install cargo-llvm-cov, rustup component add llvm-tools"
fi
exit $failed
