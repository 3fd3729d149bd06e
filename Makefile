# Everything a contributor or a new machine needs: make demo · make test · make test-long · make bench · make lint
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NODE   := tests/js/node_modules/.installed
# One more than there are CPUs: many tests wait for a server or a lock for a while.
JOBS   := $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))
# Of `make mutants`: about 20 s a mutant on 2 idle cores.
SEED   ?= 1
COUNT  ?= 60

.PHONY: demo test test-long bench mutants lint types reference clean

demo: $(STAMP)  ## a vault made from the demo world, in ./demo-vault
	$(BIN)/tobs demo --vault demo-vault

test: $(STAMP) $(NODE)  ## the tests (some 12 minutes on 2 cores)
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-long: $(STAMP) $(NODE)  ## the tests that take longer than a minute each
	$(BIN)/pytest -m long

bench: $(STAMP)  ## rates as ratios, in one run on this machine
	$(BIN)/python -m tests.bench

mutants: $(STAMP) $(NODE)  ## whether the tests notice small errors in the code: a sample, the same for the same SEED
	$(BIN)/python -m tests.mutants --seed $(SEED) --count $(COUNT)

lint: $(STAMP)  ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)  ## mypy, strict
	$(BIN)/mypy

reference: $(STAMP)  ## write what is generated from the code: .env.example, docs/reference
	$(BIN)/python -m tests.make_reference

clean:  ## remove what was installed and made
	rm -rf $(VENV) demo-vault tests/js/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

# The YAML parser of the Obsidian world judges our front matter.
$(NODE): tests/js/package.json
	cd tests/js && npm install --silent --no-audit --no-fund
	touch $@
