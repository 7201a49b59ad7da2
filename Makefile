# OMNI: `make demo` to see it, `make test` to trust it. `make help` lists everything.
# All paths are relative, so the folder may have spaces in its name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
# Hundreds of processes start here: what one has compiled must serve the next, whatever the shell says of other projects.
unexport PYTHONDONTWRITEBYTECODE
# --no-compile: what is imported is compiled then; compiling all that was installed took as long as installing it.
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --progress-bar off --require-hashes --no-compile
ROOMS := omni workflow optimization delivery rendering presentation audience governance
T :=
P :=
SEEDS := 0-9999
EXAMPLES := 2000

.PHONY: help demo serve test simulate agree prove prove-table lint format openapi settings-table reference lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'

demo: .venv/.core ## set up, load 5,000 profiles, send a campaign through a second person's approval, then serve (OMNI_DEMO_SERVE=0: stop before)
	@$(PYTHON) manage.py demo

serve: .venv/.core ## console and worker in one process (OMNI_PORT, default 8000 or the next free one)
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py serve

test: .venv/.dev ## all tests on SQLite, then on a real PostgreSQL; T=tests/delivery runs a part of them
	@$(PYTHON) scripts/run_tests.py $(T)

simulate: .venv/.dev ## 10,000 days of the whole street, each drawn from its seed (SEEDS=0-9999; one number tells that day again)
	@OMNI_LAW_SEEDS=$(SEEDS) OMNI_LAW_ACTS=60 $(PYTHON) -m pytest tests/laws/test_simulated_days.py -k no_day --dist load --show-capture=no -q

agree: .venv/.dev ## 2,000 drawn rules asked of every engine: plain Python, SQLite, PostgreSQL, Elasticsearch (EXAMPLES=2000)
	@OMNI_LAW_EXAMPLES=$(EXAMPLES) $(PYTHON) scripts/run_tests.py tests/laws/test_backends_agree.py

prove: .venv/.dev ## what is too long for every change: kills, restarts, want, a million events; what has no result for this commit (P=R01,R04: these)
	@$(PYTHON) -m scripts.prove $(P)

prove-table: .venv/.dev ## what those proofs came to, and which were not run
	@$(PYTHON) -m scripts.prove --table

lint: .venv/.dev ## ruff, mypy strict, the one-way street, migrations, OpenAPI, no registry hosts
	@$(PYTHON) scripts/lint.py

format: .venv/.dev ## let ruff format and sort imports
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

openapi: .venv/.dev ## write docs/reference/openapi.yaml anew
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/reference/openapi.yaml

settings-table: .venv/.dev ## write docs/reference/settings.md anew
	@$(PYTHON) manage.py settings_table > docs/reference/settings.md

reference: .venv/.dev settings-table ## write the generated pages of docs/reference anew
	@$(PYTHON) manage.py document_kinds > docs/reference/documents.md
	@$(PYTHON) manage.py command_reference > docs/reference/commands.md
	@$(PYTHON) manage.py api_operations > docs/reference/api-operations.md
	@$(PYTHON) manage.py vendor_facts
	@$(PYTHON) manage.py export_schema > docs/reference/export-schema.md

lock: ## resolve requirements/*.txt anew from pyproject.toml (needs uv)
	@sh scripts/lock.sh

clean: ## remove the virtual environment, caches and local data
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(ROOMS) tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make the second run fast: a lock that changed is installed again, nothing else is.
# A .venv whose Python is gone (a moved folder, an upgraded system) is made anew.
ifeq ($(shell [ -e .venv/.made ] && ! .venv/bin/python -c '' 2>/dev/null && echo broken),broken)
.PHONY: .venv/.made
endif
.venv/.made: scripts/make_venv.sh
	@sh scripts/make_venv.sh
	@touch $@

.venv/.core: .venv/.made requirements/core.txt
	@echo "Installing what OMNI needs into .venv (hash-checked) ..."
	@$(INSTALL) -r requirements/core.txt
	@touch $@

.venv/.dev: .venv/.made requirements/dev.txt
	@echo "Installing what OMNI and its tests need into .venv (hash-checked) ..."
	@$(INSTALL) -r requirements/dev.txt
	@touch .venv/.core $@
