# Commands of README.md and CONTRIBUTING.md. Each makes the environment first.
PYTHON ?= python3
CORES ?= all
BIN = .venv/bin

.PHONY: demo test check clean

demo: .venv/ready
	$(BIN)/snakemake --cores $(CORES)
	@echo "The report: results/demo/report.html"

test: .venv/ready
	$(BIN)/python -m pytest

check: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy workflow/s2snets
	$(BIN)/snakefmt --check Snakefile workflow/rules

clean:
	rm -rf .venv results .snakemake

.venv/ready: $(wildcard envs/*.txt) pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r envs/dev.txt
	$(BIN)/pip install --quiet --no-deps -e .
	@touch $@
