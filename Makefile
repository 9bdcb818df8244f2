# The everyday commands. `make setup` once, then `make check` before a commit.
PYTHON ?= python3
BIN := .venv/bin

# The tests of the journal, of sending again and of publishing.
KEEPING := $(addprefix tests/test_,$(addsuffix .py,journal asking asking_machine failing_disk failpoints faults pacing \
	store purge kept_promises signals second_tries sunset prices))

.PHONY: soak coverage mutants setup test quick lint types format check wheel bench clean

setup:  ## a virtual environment with everything
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[local,docs,train,test,dev]'

test:  ## all tests, real weights included
	$(BIN)/pytest

quick:  ## tests that fetch no weights
	$(BIN)/pytest -m 'not weights and not slow'

soak: mutants  ## the long loops: 500 kills, 10,000 requests with faults, all mutants
	FACTORY_KILLS=500 $(BIN)/pytest tests/test_kill_loop.py
	$(BIN)/python benchmarks/faults.py

mutants:  ## change the code that keeps paid replies, line by line: the quick tests must notice (MUTANTS='*7': a sample)
	$(BIN)/mutmut run $(MUTANTS)
	$(BIN)/python benchmarks/mutants.py

coverage:  ## every branch of what keeps paid replies, sends again and publishes is run by a test
	mkdir -p .coverage
	$(BIN)/coverage run -m pytest -q -m 'not weights' $(KEEPING)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint types quick

wheel:
	$(BIN)/python -m build --wheel

bench:
	$(BIN)/python benchmarks/reading.py --docs examples/api_docs
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/dedup.py
	$(BIN)/python benchmarks/journal.py
	$(BIN)/python benchmarks/training.py

clean:
	rm -rf mutants build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
