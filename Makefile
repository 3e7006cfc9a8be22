# Everything starts here. `make run` needs Python 3.11 or newer and nothing else.
#
#   make run [PEOPLE=20000] [NIGHTS=1] [SEED=1]   a synthetic place: generate, load the bulk and NIGHTS deltas, publish
#   make test    the tests              make lint    what the tests do not see: style
#   make dev     Dagster's web server   make bench   measure, and write docs/benchmarks.md (SIZES="10000 100000", MILLION=1)
#   make clean   remove what was generated here, the environment included; extracts elsewhere stay

PEOPLE ?= 20000
NIGHTS ?= 1
SEED   ?= 1
SIZES  ?= 10000 100000

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.phm-ready

.PHONY: run test bench lint clean dev dictionary

run: $(READY)
	@$(BIN)/phm demo --people $(PEOPLE) --nights $(NIGHTS) --seed $(SEED)

test: $(READY)
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: $(READY)
	@$(BIN)/python -m orchestration.bench $(SIZES)
	@$(BIN)/python -m orchestration.bench_linkage $(if $(MILLION),--million)

dev: $(READY)
	@$(BIN)/phm dev

dictionary: $(READY)
	@$(BIN)/phm dictionary

clean:
	rm -rf $(VENV) data/landing data/identifiable data/raw data/warehouse data/releases data/models data/truth data/environment
	rm -rf dbt_project/target dbt_project/logs build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with make PYTHON=..." >&2; exit 1; }
	@echo "Setting up $(VENV) (once; a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
