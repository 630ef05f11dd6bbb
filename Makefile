# Every target installs what it needs into .venv first; a second call finds it there.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := pixel_env tasks agents scripts tests examples
# torch is named here and exactly, so that the newest one isn't resolved beside it.
TORCH := $(shell grep '^torch==' constraints.txt)

# Threads that wait sleep: spinning ones cost ten times the time where cores are shared.
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install train pretrain test lint types docs clean

help:  ## print this list
	@echo "make TARGET [PYTHON=python3.12] [ARGS='options of the script']"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED)  ## make .venv and install the package with everything that it can use

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or \
	newer, got %d.%d; name another one: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt $(TORCH) -e '.[train,test,data,video,openai,sb3,benchmark,human,vips,docs]'
	@touch $@

train: $(INSTALLED)  ## train the tiny policy: warm start, RL, evaluation; ARGS go to train.py
	$(BIN)/python scripts/train.py $(ARGS)

pretrain: $(INSTALLED)  ## remake agents/base_weights; ARGS go to the second script
	$(BIN)/python scripts/dev/pretrain_tiny.py --out runs/pretrain_tiny/model
	$(BIN)/python scripts/dev/pretrain_twins.py --out agents/base_weights $(ARGS)

test: lint types  ## check style and types, run every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(INSTALLED)  ## check style
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

# mypy follows folders, not setup.cfg, so it gets the tree as it is installed.
types: $(INSTALLED)  ## check types
	@rm -rf build/types && mkdir -p build/types
	@cp -r pixel_env build/types
	@cp -r tasks agents scripts build/types/pixel_env
	cd build/types && ../../$(BIN)/mypy --config-file ../../setup.cfg --cache-dir \
	../../.mypy_cache -p pixel_env

docs: $(INSTALLED)  ## build the documentation's site into site/; a broken link or anchor fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

clean:  ## remove .venv and whatever was built; runs/ and data/ stay
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
