PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint contract bench bench-peers fault fault-control fuzz etcd-up etcd-down clean clean-docker

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(STAMP) ## Set up .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) cannot make a virtual environment; on Debian install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV): about a minute"
	$(PIP) install --quiet --require-hashes -r requirements.lock
	@# grpcio-tools brings setuptools, whose hook for distutils costs each start of Python 1 ms.
	@rm -f $(VENV)/lib/python*/site-packages/distutils-precedence.pth
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Promote real blueprints on an embedded etcd, every claim checked
	$(VENV)/bin/bps demo

test: $(STAMP) ## Run the tests, on a 3-node cluster (containers, else processes)
	@# Hundreds of commands are started, each of which would compile the package anew. Three workers
	@# keep two cores busy: many tests wait for elections and leases.
	PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest -n 3 --dist loadfile

lint: $(STAMP) ## Check style, types and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

contract: SEED ?= 1
contract: BUDGET_S ?= 300
contract: $(STAMP) ## Explore the HTTP API from its OpenAPI document: SEED=n BUDGET_S=seconds
	BPS_TEST_SEED=$(SEED) $(VENV)/bin/python -m pytest -q tests/contract/test_machine.py
	$(VENV)/bin/python -m tests.contract.explore $(SEED) $(BUDGET_S)

fuzz: SEED ?= 1
fuzz: BUDGET_S ?= 300
fuzz: $(STAMP) ## The laws of the merge over drawn documents: SEED=n BUDGET_S=seconds
	$(VENV)/bin/python -m tests.unit.merge.fuzz $(SEED) $(BUDGET_S)

fault: SEED ?= 1
fault: BUDGET_S ?= 900
fault: $(STAMP) ## Faults under traffic, 20 schedules: SEED=n BUDGET_S=seconds RESUME=file
	$(VENV)/bin/python -m tests.fault run --seed $(SEED) --budget-s $(BUDGET_S) $(if $(RESUME),--resume $(RESUME))

bench: $(STAMP) ## Measure the figures, with ratios to a baseline of the same run
	$(VENV)/bin/python -m benchmarks

bench-peers: CARGO ?= cargo
bench-peers: MERGIRAF ?= build/mergiraf
bench-peers: $(STAMP) ## Measure the merge beside mergiraf, which cargo builds
	nice -n 19 $(CARGO) install mergiraf --locked --jobs 1 --root $(MERGIRAF) || \
	  echo "mergiraf is not new: no cargo, no answer of crates.io, or it does not build" >&2
	PATH="$(abspath $(MERGIRAF))/bin:$$PATH" $(VENV)/bin/python -m benchmarks --only merge-cases --only merge-command

fault-control: $(STAMP) ## Plant each known bug and fail if one is not caught
	$(VENV)/bin/python -m tests.fault.planted.control

etcd-up: ## Start the 3-member cluster of docker/etcd-cluster
	docker/etcd-cluster/up

etcd-down: ## Stop it; its data stay
	docker/etcd-cluster/down

clean: ## Remove .venv and tool caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-docker: ## Remove every etcd container, volume, network and image made by this project
	@if docker info >/dev/null 2>&1; then \
	  label='label=bps.etcd-cluster'; \
	  docker ps -aq --filter $$label | xargs -r docker rm -f -v; \
	  docker volume ls -q --filter $$label | xargs -r docker volume rm; \
	  docker network ls -q --filter $$label | xargs -r docker network rm; \
	  docker images -q --filter $$label | xargs -r docker rmi -f; \
	fi
