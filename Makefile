# Every target installs what it needs first. Python >= 3.11 is the only requirement.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYNC := UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet
CORPUS_DIR ?= ../shared/data
TERRAFORM_CHECK ?= ../shared/tools/terraform_check/terraform_check
ARGS ?=
# Simulation: how many seeds, from which one on; hours of a long run.
SEEDS ?= 500
FIRST ?= 1
# Kills of the execution service.
N ?= 500
HOURS ?= 24

.DEFAULT_GOAL := help
.PHONY: help install run test lint format corpus simulate soak crash-test sdk-test e2e emulators bench schema \
	requirements package terraform-test clean

help: ## show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "Python >= 3.11 is needed and '$(PYTHON)' was not found; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "could not create $(VENV): on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet uv

$(VENV)/.run: $(BIN)/uv uv.lock pyproject.toml
	@$(SYNC) --no-dev --extra local --inexact
	@touch $@

$(VENV)/.dev: $(BIN)/uv uv.lock pyproject.toml
	@$(SYNC) --all-extras --inexact
	@touch $@ $(VENV)/.run

install: $(VENV)/.run ## create .venv with the arb command in it

run: $(VENV)/.run ## the whole system against the built-in simulator, on paper
	@$(BIN)/arb run $(ARGS)

test: $(VENV)/.dev ## the suite, in parallel: all but e2e
	@$(BIN)/pytest -n auto --dist worksteal --ignore=tests/e2e $(ARGS)

lint: $(VENV)/.dev ## ruff and mypy, strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev ## reformat
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

corpus: $(VENV)/.dev ## recorded data: vectors, payloads, mapping suite (CORPUS_DIR, default ../shared/data)
	@test -d "$(CORPUS_DIR)" || { echo "there is no recorded data in $(CORPUS_DIR): set CORPUS_DIR"; exit 1; }
	@CORPUS_DIR="$(abspath $(CORPUS_DIR))" $(BIN)/pytest -n auto --dist worksteal -m corpus -rA --no-header $(ARGS)

simulate: $(VENV)/.dev ## executors, store, bus and exchange under seeded faults on virtual time (SEEDS=500 FIRST=1)
	@$(BIN)/python -m tests.simulation $(SEEDS) --first $(FIRST) $(ARGS)

soak: $(VENV)/.dev ## a day of virtual time: memory flat, no task left over (HOURS=24)
	@$(BIN)/python -m tests.simulation --soak $(HOURS) $(ARGS)

crash-test: $(VENV)/.dev ## kill the real execution service at every step and at random (N=500), and eight processes on one book
	@$(BIN)/python -m benchmarks.reservations
	@$(BIN)/python -m tests.crash $(N) $(ARGS)

sdk-test: $(VENV)/.dev ## Kalshi's official Python SDK against arb sim (needs Python >= 3.13 beside this one)
	@$(BIN)/pytest -p no:xdist -m sdk tests/sdk $(ARGS)

bench: $(VENV)/.dev ## medians and ratios against a floor or a peer in the same run
	@$(BIN)/python -m benchmarks $(ARGS)

schema: $(VENV)/.run ## write the generated schemas (ARGS=--check: fail when they drift)
	@$(BIN)/arb schema $(ARGS)

requirements: $(BIN)/uv ## export requirements.txt, with hashes, from uv.lock (ARGS=--check: fail when it drifts)
	@$(BIN)/uv lock --quiet --check || { echo "uv.lock does not match pyproject.toml: run $(BIN)/uv lock"; exit 1; }
	@{ echo "# Every version the deployed functions use; written by make requirements."; \
	   $(BIN)/uv export --quiet --frozen --no-dev --all-extras --no-emit-project --no-header; } > $(VENV)/requirements.txt
	@$(if $(filter --check,$(ARGS)),cmp -s $(VENV)/requirements.txt requirements.txt || \
	   { echo "requirements.txt does not match uv.lock: run make requirements"; exit 1; },\
	   mv $(VENV)/requirements.txt requirements.txt)

emulators: ## run the Pub/Sub and Firestore emulators (ARGS="PUBSUB_PORT FIRESTORE_PORT")
	@infra/emulators/start $(ARGS)

e2e: $(VENV)/.dev ## every deployed function as a process of its own, on the emulators
	@$(BIN)/pytest -p no:xdist -rA --no-header tests/e2e $(ARGS)

package: $(BIN)/uv ## build the wheel and run it, installed by itself, in another folder
	@rm -rf dist
	@$(BIN)/uv build --quiet --wheel --out-dir dist
	@wheel="$$(ls $(abspath dist)/*.whl)"; cd "$$(mktemp -d)" && $(abspath $(BIN)/uv) tool run --quiet --isolated \
	   --python $(abspath $(BIN)/python) --constraints $(abspath requirements.txt) --from "$$wheel[local]" \
	   arb run --plain --seconds 6

terraform-test: ## check and test terraform/ (offline with the checker at TERRAFORM_CHECK, else with terraform itself)
	@TERRAFORM_CHECK="$(TERRAFORM_CHECK)" .ci/terraform-test $(ARGS)

clean: ## remove the environment and caches (never the history in var/)
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .hypothesis
