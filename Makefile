# The book in one command. `make` lists the targets; they create what they need and reuse what exists.
#
#   make book PYTHON=python3.12            another Python (3.11, 3.12 or 3.13)
#   make book TORCH_INDEX=https://download.pytorch.org/whl/cpu
#                                          on Linux: the CPU build of PyTorch, some gigabytes less than the default
#   make notebooks NB=book/background.ipynb   one notebook only
#   make test WORKERS=4                    more processes at a time

PYTHON ?= python3
WORKERS ?= 2
PORT ?= 8000
TORCH_INDEX ?=
PIP_INSTALL_ARGS ?= $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

BIN := .venv/bin
READY := .venv/ready
FRAMEWORKS := .venv/frameworks
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help book test notebooks serve links clean lint browser bench

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp is newer than what it was made from, so nothing is installed twice.
$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit( \
	    "The book needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is %d.%d." % v[:2] \
	    + " Name another one: make book PYTHON=python3.12")' \
	  || { echo "No suitable Python: see the line above." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Creating .venv"; $(PYTHON) -m venv .venv; } \
	  || { echo "Could not create .venv. On Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }
	@echo "Installing the packages (the first time takes some minutes)"
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_INSTALL_ARGS) -c constraints.txt -r requirements.txt -e .
	@touch $@

# Keras, TensorFlow, JAX and Optax: what the losses are compared with. No page needs them.
$(FRAMEWORKS): requirements-frameworks.txt $(READY)
	@echo "Installing the libraries that the losses are compared with"
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_INSTALL_ARGS) -c constraints.txt -r requirements-frameworks.txt
	@touch $@

# After a failure the pages are read again: Sphinx does not repeat the warnings of a page it has already read.
book: $(READY) ## execute the notebooks and write the site to _build/html
	@$(BIN)/jupyter-book build . -W --keep-going || { rm -rf _build/.doctrees; exit 1; }

test: $(READY) $(FRAMEWORKS) lint browser book ## unit tests, doctests, every committed output, the site in a browser
	$(PYTEST) --doctest-modules --nbval tests src $$($(BIN)/python book/_tools/notebooks.py --list)

lint: $(READY)
	$(BIN)/ruff check src tests book benchmarks

browser: $(READY)
	@$(BIN)/python tests/browser.py

bench: $(READY) $(FRAMEWORKS) ## time the losses beside other libraries and write benchmarks/results.md
	$(BIN)/python -m benchmarks

notebooks: $(READY) ## execute the notebooks and bring them into the form that is committed
	$(BIN)/python book/_tools/notebooks.py $(NB)

serve: book ## read the book at http://localhost:8000
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

links: $(READY) ## check the links to other sites (needs the network)
	$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/linkcheck

clean: ## remove what was built (not .venv and node_modules)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
