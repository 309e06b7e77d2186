# `make up` and `make test` do all their own set-up and may be repeated.
# What they make is outside this folder: see local/README.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
SECONDS := 600
.PHONY: help up down test check unit cluster fuzz bench

# In a recipe: use the project's own Python environment and packages.
ENTER := venv=$$(python3 -m local.venv); export PATH="$$venv/bin:$$PATH" PYTHONPATH="components:webhook"

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

up: ## Show it: a cluster (KUBE_CONTEXT, or a local one), the dev stack, a swapped sample.
	@exec python3 -m local.demo up

down: ## Undo all of `make up`.
	@exec python3 -m local.demo down

test: check ## Everything that CI checks: `check`, and all tests, on a real cluster of their own.
	@$(ENTER)
	report=$$(mktemp)
	nice -n 19 python -m pytest -m "not cluster" >"$$report" 2>&1 &
	quick=$$!
	trap 'kill $$quick 2>/dev/null || true; rm -f "$$report"' EXIT
	# The cluster's tests wait for the most part. The others take that time, and no more: a kubelet
	# that lacks processor time does everything late.
	failed=0
	python -m pytest -m cluster || failed=$$?
	wait $$quick || failed=$$?
	cat "$$report"
	exit $$failed

check: ## Format, lint, types and the direction of imports.
	@$(ENTER)
	ruff format --check .
	ruff check .
	python -m mypy
	lint-imports --no-cache

unit: ## The tests that need no cluster: seconds.
	@$(ENTER)
	exec python -m pytest -m "not cluster"

cluster: ## The tests on the local cluster alone.
	@$(ENTER)
	exec python -m pytest -m cluster

fuzz: ## Ten minutes of random input for each parser; SECONDS= for another time.
	@$(ENTER)
	for target in map reference pack; do
	  python tests/fuzz/fuzz_rules.py $$target -max_total_time=$(SECONDS)
	done

bench: ## Measure against the figures that the project promises.
	@$(ENTER)
	missed=0
	python tests/bench/bench_rules.py || missed=$$?
	python tests/bench/bench_server.py || missed=$$?
	exit $$missed
