# Commands of README.md and CONTRIBUTING.md. Each makes the environment first.
PYTHON ?= python3
CORES ?= all
BIN = .venv/bin

# Tests of what torch's kernels compute, without those that kill processes.
NUMERICAL = $(BIN)/python -m pytest -k "not kill and not stop and not mistake" \
	$(patsubst %,tests/unit/test_%.py,processors networks reverse training \
	synthesis generator evaluation)

.PHONY: demo test test-processors test-sse41 test-avx2 check lock clean

demo: .venv/ready
	$(BIN)/snakemake --cores $(CORES)
	@echo "The report: results/demo/report.html"

test: .venv/ready
	$(BIN)/python -m pytest

# As on processors with fewer instructions than this one may have.
test-processors: test-sse41 test-avx2

test-sse41: .venv/ready
	ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
		MKL_ENABLE_INSTRUCTIONS=SSE4_2 $(NUMERICAL)

test-avx2: .venv/ready
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 \
		MKL_ENABLE_INSTRUCTIONS=AVX2 $(NUMERICAL)

check: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy workflow/s2snets
	$(BIN)/snakefmt --check Snakefile workflow/rules

clean:
	rm -rf .venv results .snakemake

# Not torch: which build pip takes, with which libraries, depends on its index.
lock: .venv/ready
	$(BIN)/pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
		--strip-extras --no-annotate --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --unsafe-package torch \
		--output-file envs/lock.txt envs/dev.txt

.venv/ready: $(wildcard envs/*.txt) pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-deps --require-hashes -r envs/lock.txt
	$(BIN)/pip install --quiet -r envs/dev.txt # torch
	$(BIN)/pip install --quiet --no-deps -e .
	@touch $@
