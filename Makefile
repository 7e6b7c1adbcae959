# The commands of this repository. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# a stamp: everything of that lock is installed
INSTALLED := $(VENV)/.complete
INSTALLED_DEV := $(VENV)/.complete-dev
PYTHONS := 3.11 3.12 3.13 3.14
PLATFORMS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin
# has wheels for Linux alone; elsewhere its source distribution installs without the part that talks to Lambda
NO_WHEEL := awslambdaric
UV := build/uv/bin/uv
UV_VERSION := 0.13.9
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)
STACK ?= dev
PHOTOS ?= 40
CLASSES ?=
KEEP ?=
# what is imported is compiled once, whatever the environment says: a demo is two dozen processes, the tests are hundreds
export PYTHONDONTWRITEBYTECODE =

# a stamp too: the packages that judge the state machine in tests
JUDGES := tests/judges/node_modules/.package-lock.json

.PHONY: help demo test check judges layer graph lock clean
help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 14

# an environment that is there already, such as that of `pulumi install`, is only filled up
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Scones needs Python 3.11 or newer, for example: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(INSTALLED): requirements.txt | $(RUN)
	@$(RUN) scripts/install.py $<
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt | $(RUN)
	@$(RUN) scripts/install.py $<
	@touch $@

demo: $(INSTALLED) ## the whole system on this machine, from a made-up archive to routed drivers; KEEP=1 leaves it up, with a page
	$(RUN) -m localcloud demo --stack $(STACK) --photos $(PHOTOS) $(if $(CLASSES),--classes $(CLASSES)) $(if $(KEEP),--keep)

test: $(INSTALLED_DEV) $(JUDGES) ## every test, the local cloud included
	$(RUN) -m pytest

check: $(INSTALLED_DEV) ## format, lint, types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright

judges: $(JUDGES) ## what judges the state machine in tests; needs npm

$(JUDGES): tests/judges/package.json tests/judges/package-lock.json
	@if command -v npm >/dev/null; then cd tests/judges && npm ci --silent && touch node_modules/.package-lock.json; \
	else echo "npm is missing (.ci/prepare installs it): the tests that judge the state machine are skipped"; fi

layer: $(INSTALLED) ## the Lambda layer, for the functions' runtime and architecture
	$(RUN) -m components.parts.layer

graph: $(INSTALLED) ## what STACK would register, with a drawn dataset; GRAPH=--diff against the last release
	$(RUN) -m training synthesize --output build/graph/archive.tar.gz
	$(RUN) -m training prepare --archive build/graph/archive.tar.gz --stack $(STACK) --output build/graph/dataset
	$(RUN) -m components.parts.layer --output build/graph/layer.zip
	$(RUN) -m localcloud graph --stack $(STACK) --config datasetDir=build/graph/dataset --config layerPath=build/graph/layer.zip $(GRAPH)

lock: $(UV) ## pin what pyproject.toml asks for, in every lock; UPGRADE=--upgrade takes the newest
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt --output-file requirements.txt
	$(COMPILE) --group layer --constraint requirements-dev.txt --output-file handlers/requirements.txt
	@for python in $(PYTHONS); do for platform in $(PLATFORMS); do \
		echo "wheels for Python $$python on $$platform"; \
		grep -E '^[a-z0-9.-]+(\[.*\])?==' requirements-dev.txt | grep -vE '^($(NO_WHEEL))==' | tr -d '\\' \
		| $(UV) pip compile --quiet --only-binary :all: --python-version $$python --python-platform $$platform \
			--output-file build/wheels.txt - || exit 1; \
	done; done

$(UV):
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

clean: ## forget what was built (the environment stays)
	rm -rf build .localcloud
