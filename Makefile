# `make` prints the targets. Each target sets up what it needs: .venv is made once, and updated
# when pyproject.toml changes.

SHELL := /bin/sh
VENV  := .venv
BIN   := $(VENV)/bin
# PYTHON=... names the interpreter for .venv. Without it, the first of these that is 3.11 or newer.
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
# pyGMMis needs a NumPy older than 1.24, and therefore a Python older than 3.12.
# The C code of extreme deconvolution is no package: benchmarks/README.md says how to build it.
PEERS := .venv-peers
PEER_PYTHONS := $(or $(PEER_PYTHON),python3.11 python3.10 python3.9 python3)
PEER_PACKAGES := numpy==1.23.5 scipy==1.10.1 parmap==1.6.0 pygmmis==1.1.4 scikit-learn==1.2.2 \
	astroML==1.0.2.post1
PIP := -m pip install --quiet --disable-pip-version-check
SAMPLE := data_samples
OBSERVATION := $(SAMPLE)/events.fits.gz --mask $(SAMPLE)/sources.reg \
	--exposure $(SAMPLE)/expmap.fits.gz --psf $(SAMPLE)/psfmap.fits.gz --energy 0.5:2 \
	--background sky,particle,streak

.DEFAULT_GOAL := help
.PHONY: help demo picture test test-slow coverage lint types docs gallery bench clean distclean

help:  ## print the targets
	@echo "usage: make TARGET [PYTHON=python3.x]"
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{ printf "%-13s %s\n", $$1, $$2 }'

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)"; exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "gmmx needs Python 3.11 or newer, and none of these is: $(PYTHONS);" \
		"name one with make PYTHON=..." >&2; exit 1

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python $(PIP) -e '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(BIN)/python $(PIP) -e '.[lint]'
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python $(PIP) -e '.[bench]'
	@touch $@

$(PEERS)/.ready:
	@for python in $(PEER_PYTHONS); do \
		if $$python -c 'import sys; sys.exit(not (3, 8) <= sys.version_info < (3, 12))' \
			2>/dev/null; then \
			echo "$$python -m venv $(PEERS)"; \
			$$python -m venv $(PEERS) && $(PEERS)/bin/python $(PIP) $(PEER_PACKAGES) \
				&& touch $@; exit $$?; \
		fi; \
	done; \
	echo "the comparison leaves out pyGMMis, which needs Python 3.8 to 3.11;" \
		"name one with make PEER_PYTHON=..." >&2

demo: $(VENV)/.test  ## fit the sample observation and draw it into demo/
	@mkdir -p demo
	$(BIN)/gmmx fit $(OBSERVATION) --seed 1 --out demo/model.h5 --overwrite
	$(BIN)/gmmx render demo/model.h5 --out demo/model.fits --overwrite
	$(BIN)/gmmx plot demo/model.h5 --out demo/model.png --overwrite
	$(BIN)/gmmx export demo/model.h5 --out demo/components.ecsv --overwrite
	$(BIN)/gmmx export demo/model.h5 --out demo/components.reg --overwrite
	@echo "The figure is demo/model.png, the table of components demo/components.ecsv."
	@echo "Open demo/model.fits in DS9 and load the regions demo/components.reg."

picture: $(VENV)/.test  ## draw the picture of the README
	$(BIN)/python benchmarks/picture.py

test: $(VENV)/.test  ## run the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

test-slow: $(VENV)/.test  ## run the statistical tests that take minutes
	$(BIN)/python -m pytest -m slow

coverage: $(VENV)/.test  ## run the tests and print the lines that they do not reach
	$(BIN)/python -m pytest -m "not slow" --cov --cov-report=term-missing:skip-covered

lint: $(VENV)/.lint  ## check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.lint  ## check the types of the public interface
	$(BIN)/mypy

docs: $(VENV)/.test  ## write docs/commands.md from the help texts
	$(BIN)/python docs/make_commands.py

gallery: $(VENV)/.test  ## draw the pictures of docs/gallery.md
	$(BIN)/python docs/make_pictures.py

# Each of these scripts writes its table to benchmarks/NAME.txt.
TABLES := speed accuracy psf backgrounds sources footprint pair zwcl limits intervals acceleration \
	peers

bench: $(VENV)/.bench $(PEERS)/.ready  ## run the benchmarks, an hour in all
	for name in $(TABLES); do \
		$(BIN)/python benchmarks/bench_$$name.py | tee benchmarks/$$name.txt; \
	done
	$(BIN)/python benchmarks/bench_choice.py | tee benchmarks/choice.txt
	$(BIN)/python benchmarks/bench_coverage.py | tee benchmarks/coverage.txt
	$(BIN)/python benchmarks/bench_simulate.py | tee benchmarks/simulate.txt
	$(BIN)/python benchmarks/bench_assign.py | tee benchmarks/assign.txt
	$(BIN)/python benchmarks/bench_goodness.py | tee benchmarks/goodness.txt
	$(BIN)/python benchmarks/bench_figures.py | tee benchmarks/figures.txt
	$(BIN)/python benchmarks/bench_samples.py | tee benchmarks/samples.txt
	$(BIN)/python benchmarks/bench_sample_errors.py | tee benchmarks/sample_errors.txt
	$(BIN)/python benchmarks/bench_pictures.py | tee benchmarks/pictures.txt
	$(BIN)/python benchmarks/bench_scaling.py

clean:  ## remove what the targets made, but keep .venv
	rm -rf demo build dist htmlcov .coverage .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find gmmx tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

distclean: clean  ## remove .venv and .venv-peers, too
	rm -rf $(VENV) $(PEERS)
