PY := .venv/bin/python
.PHONY: help setup run test check bench lock fmt

help:            ## show this list
	@grep -E '^[a-z]+: .*##' Makefile | sed 's/:.*##/ —/'

setup:           ## .venv from the locked dependencies
	@tools/setup.sh dev .venv

run: setup       ## start the product on http://127.0.0.1:8080 with demo settings
	@$(PY) -m bot serve --demo

test: setup      ## the whole test suite
	@$(PY) -m pytest

check: setup     ## lint, types, import contract, knowledge base
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m knowledge check

bench: setup     ## throughput and latency beside two echo bots and a naive build
	@tools/setup.sh bench .venv-bench
	@$(PY) -m tests.bench

fmt: setup
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

# For maintainers: needs uv. Writes exact versions and hashes, never an index address.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q -o locks/runtime.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header -q -o locks/dev.txt
	uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-header -q -o locks/bench.txt
