# The commands of this repository. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STACK ?= dev
PHOTOS ?= 40
CLASSES ?=

.PHONY: help demo test check layer clean
help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 14

$(VENV)/.complete: requirements.txt
	@echo "Building $(VENV) from requirements.txt: once, one to three minutes, about 1.3 GB."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Scones needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements.txt
	@touch $@

demo: $(VENV)/.complete ## the whole system on this machine, from a made-up archive to routed drivers
	$(RUN) -m localcloud demo --stack $(STACK) --photos $(PHOTOS) $(if $(CLASSES),--classes $(CLASSES))

test: $(VENV)/.complete ## every test, the local cloud included
	$(RUN) -m pytest

check: $(VENV)/.complete ## format, lint, types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright

layer: $(VENV)/.complete ## the Lambda layer, for the functions' runtime and architecture
	$(RUN) -m components.parts.layer

clean: ## forget what was built (the environment stays)
	rm -rf build .localcloud
