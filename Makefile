# What people type: make demo, run, test, test-long test-postgresql, test-slow, bench, lint, audit, sbom. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Installing writes nothing under HOME. Every package is locked, so pip need not resolve anything.
export PIP_CACHE_DIR := $(CURDIR)/var/cache/pip
# pip asks `rustc` for its version, and rustup's `rustc` would make a folder there.
export RUSTUP_HOME := $(CURDIR)/var/cache/rustup
export PIP_DISABLE_PIP_VERSION_CHECK := 1
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes
# Biome lints scripts and styles and formats scripts, TypeScript checks the scripts' types; the console
# itself needs neither, nor Node.js.
BIOME := 2.6.8
TYPESCRIPT := 7.0.2
NODE := var/cache/node
# Biome makes its cache folder, though it keeps nothing there.
BIOME_RUN := XDG_CACHE_HOME=$(CURDIR)/var/cache $(NODE)/node_modules/.bin/biome
NODE_TOOLS := $(NODE)/biome-$(BIOME)-typescript-$(TYPESCRIPT)

.PHONY: demo run test test-long test-postgresql test-slow bench lint audit sbom format lock messages screenshots clean
.DEFAULT_GOAL := demo

$(VENV)/base: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "WeiLink Console needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) …"
	@$(INSTALL) -r requirements/base.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/base requirements/dev.txt
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

$(NODE_TOOLS):
	@command -v node >/dev/null && command -v npm >/dev/null || \
	  { echo "To check the scripts install Node.js 18 or newer and npm: apt install nodejs npm" >&2; exit 1; }
	@rm -rf $(NODE)
	@mkdir -p $(NODE)
	@npm install --prefix $(NODE) --cache $(CURDIR)/var/cache/npm --no-save --no-package-lock --ignore-scripts \
	  --no-audit --no-fund --no-update-notifier --loglevel=error @biomejs/biome@$(BIOME) typescript@$(TYPESCRIPT) >/dev/null
	@touch $@

demo: $(VENV)/base
	@WEILINK_DEMO=1 exec $(BIN)/python manage.py console

run: $(VENV)/base
	@exec $(BIN)/python manage.py console

# Modules are compiled once for all processes of the tests, and outside the sources.
test test-long test-postgresql test-slow: export PYTHONPYCACHEPREFIX := $(CURDIR)/var/cache/python
test test-long test-postgresql test-slow: export PYTHONDONTWRITEBYTECODE :=

# The pages run in two browsers side by side, each with demos of its own.
test: $(VENV)/dev
	$(BIN)/python -m pytest -m "not slow and not long and not browser" -n 4 --dist loadgroup
	$(BIN)/python -m pytest -m "browser and not long and not slow" -n 2 --dist loadfile

# The rest (tests/long_tests.py). Tests that start processes run in four groups (tests/conftest.py).
test-long: $(VENV)/dev
	$(BIN)/python -m pytest -m "long and not slow and not browser" -n 4 --dist loadgroup
	$(BIN)/python -m pytest -m "browser and long and not slow" -n 2 --dist loadfile

# Every test with a database once more, where PostgreSQL answers (TEST_DATABASE_URL).
test-postgresql: $(VENV)/dev
	$(BIN)/python -m tests.on_postgresql -n 3

test-slow: $(VENV)/dev
	TEST_EXAMPLES_TIMES=20 $(BIN)/python -m pytest -m "slow or properties"

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

lint: $(VENV)/dev $(NODE_TOOLS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --lint templates
	$(BIOME_RUN) check --error-on-warnings
	$(NODE)/node_modules/.bin/tsc
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

# Known weaknesses: in our code by bandit, in the locked packages (dev.txt has all) by pip-audit, which asks the
# index for advisories; where none can be reached it says so, and fails only if REQUIRE_ADVISORIES=1.
audit: $(VENV)/dev
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml weilink_site sessions_app messaging
	$(BIN)/python -m tests.supply.audit requirements/dev.txt

# What the console consists of, as CycloneDX.
sbom: $(VENV)/base
	$(BIN)/python -m tests.supply.sbom var/sbom.json

format: $(VENV)/dev $(NODE_TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIOME_RUN) check --write

# Needs uv. No index line, so that the files name no registry.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements/base.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev pyproject.toml -o requirements/dev.txt

# Needs gettext.
messages: $(VENV)/base
	$(BIN)/python manage.py makemessages -l zh_Hans --no-obsolete --add-location file -i .venv -i var -i build -i tests
	$(BIN)/python manage.py compilemessages -i .venv

screenshots: $(VENV)/dev
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf $(VENV) build *.egg-info
