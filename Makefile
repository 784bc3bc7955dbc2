# `make` alone lists what there is. Every target can be run again: what is done is not redone.
# `make test TESTS="tests/unit -k slots"` runs some of the tests.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup up data test lint bench bench-scale image sbom secrets lock clean

STEP := scripts/step
COINLOG := .venv/bin/coinlog
BUNDLE := src/coinlog/web/static/manifest.json
AUTHORITY := src/coinlog/aws/rds-ca.pem
NODE_MODULES := frontend/node_modules/.package-lock.json
FRONTEND := $(wildcard frontend/src/*.* frontend/src/*/*.* frontend/assets/*.*)
RUNTIME := .venv/.runtime
DEV := .venv/.dev
BENCH := .venv/.bench

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(COINLOG) $(BUNDLE) $(AUTHORITY) ## Make .venv with coinlog in it, and the page's bundle
	@:

up: setup ## Record the market and show it at http://localhost:5000 (SIMULATED=1: a made-up one)
	@exec $(COINLOG) up $(if $(filter-out 0 no false,$(SIMULATED)),--simulated)

data: setup ## Add pandas and Parquet, for `import coinlog` and `coinlog export --format parquet`
	@$(STEP) "pandas and Parquet" scripts/setup_environment.sh requirements-data.lock

test: setup $(DEV) ## Run the tests, on SQLite, a real MariaDB and a real Chromium
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@$(STEP) "Containers for the tests" scripts/install_container_tools.sh
	@.venv/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup $(BENCH) ## Check format, rules and types
	@$(STEP) "Format" .venv/bin/ruff format --check --output-format concise .
	@$(STEP) "Rules" .venv/bin/ruff check --quiet --output-format concise .
	@$(STEP) "Types" .venv/bin/mypy
	@$(STEP) "Shell scripts" .venv/bin/shellcheck scripts/*.sh scripts/step .ci/run compose/*.sh \
		tests/image/mariadb/*.sh
	@$(STEP) "Dockerfiles" .venv/bin/hadolint --failure-threshold warning Dockerfile tests/image/mariadb/Dockerfile
	@$(STEP) "Workflows" .venv/bin/zizmor --offline --quiet .github
	@$(STEP) "Types of the page's scripts" .venv/bin/node frontend/node_modules/typescript/bin/tsc --project frontend

bench: setup $(BENCH) ## Measure against the baselines; takes some minutes
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@$(STEP) "nginx and wrk for the comparison" scripts/install_bench_tools.sh
	@.venv/bin/python bench/run.py

bench-scale: setup $(BENCH) ## Measure at 0.7, 7 and 70 million quotes; takes a quarter of an hour and 25 GB
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@.venv/bin/python bench/scale.py

image: ## Build the container image (BASE_IMAGE=python:3.11-slim: on another base)
	@scripts/build_image.sh

sbom: setup $(DEV) ## List what coinlog is made of, and the licences, in dist/
	@$(STEP) "Parts and licences in dist/" .venv/bin/python scripts/make_sbom.py

secrets: ## Make the passwords for `docker compose up`, in secrets/
	@$(STEP) "Passwords in secrets/" scripts/make_secrets.sh

lock: setup ## Refresh the locks to the newest allowed versions
	@$(STEP) "Locking" scripts/lock.sh

clean: ## Remove what make has made (never your data)
	@rm -rf .venv .venv-uv frontend/node_modules src/coinlog/web/static $(AUTHORITY) dist \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests scripts bench -name __pycache__ -prune -exec rm -rf {} +

$(RUNTIME): requirements.lock requirements-build.lock
	@$(STEP) "Python packages" scripts/setup_environment.sh $^
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@$(STEP) "Packages for tests and checks" scripts/setup_environment.sh requirements-dev.lock
	@touch $@

$(BENCH): requirements-bench.lock $(DEV)
	@$(STEP) "Packages for the benchmarks" scripts/setup_environment.sh requirements-bench.lock
	@touch $@

$(COINLOG): $(RUNTIME) pyproject.toml src/coinlog/__init__.py
	@$(STEP) "coinlog itself" scripts/install_package.sh
	@touch $@

$(NODE_MODULES): frontend/package-lock.json frontend/.npmrc $(RUNTIME)
	@$(STEP) "Packages for the page" .venv/bin/npm --prefix frontend ci
	@touch $@

$(BUNDLE): $(NODE_MODULES) scripts/build_frontend.py $(FRONTEND)
	@$(STEP) "The page's bundle" .venv/bin/python scripts/build_frontend.py

$(AUTHORITY): $(NODE_MODULES) scripts/build_rds_authority.py
	@$(STEP) "Who vouches for Amazon RDS" .venv/bin/python scripts/build_rds_authority.py
