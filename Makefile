# `make` alone lists what there is. Every target can be run again: what is done is not redone.
# `make test TESTS="tests/unit -k slots"` runs some of the tests.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup up data test lint weather bench bench-scale lambda synth check-aws estimate \
	deploy destroy tunnel ops image sbom secrets audit scan-secrets lock clean

STEP := scripts/step
LAMBDA_PYTHON := 3.13
COINLOG := .venv/bin/coinlog
BUNDLE := src/coinlog/web/static/manifest.json
AUTHORITY := src/coinlog/aws/rds-ca.pem
NODE_MODULES := frontend/node_modules/.package-lock.json
FRONTEND := $(wildcard frontend/src/*.* frontend/src/*/*.* frontend/assets/*.*)
RUNTIME := .venv/.runtime
DEV := .venv/.dev
BENCH := .venv/.bench
INFRA := .venv/.infra
CHECKOV := .venv-checkov/.done
AUDIT := .venv-audit/.done
CDK := infra/node_modules/.package-lock.json

ON_AWS := exec env PYTHONPATH=infra .venv/bin/python -m coinlog_infra
# What is said to make itself is handed over; a NAME or EMAIL of the shell means something else.
TOLD := NAME REGION INTERVAL ASSETS SHAPE PUBLIC ADMIT DOMAIN ZONE EMAIL ENGINE DATABASE_CLASS \
	DATABASE_GB MIN_TASKS MAX_TASKS ARCHITECTURE YES DATA CMD PORT HOST
$(foreach name,$(TOLD),$(if $(filter command,$(firstword $(origin $(name)))),\
	$(eval export DEPLOY_$(name) := $$(value $(name)))))
# A variable with a slip in it would be passed over in silence. Settings of coinlog and of AWS go to
# what make starts, as the environment does.
SAID := $(foreach name,$(filter-out -%,$(.VARIABLES)),$(if $(filter command,$(firstword \
	$(origin $(name)))),$(name)))
ODD := $(filter-out $(TOLD) TESTS FAULTS SEED STORE SIMULATED LAMBDA_PYTHON BASE_IMAGE \
	BUILD_OPTIONS REQUIRED SHELL COINLOG_% DB_% CMC_% COIN_% AWS_% CDK_% DEPLOY_%,$(SAID))
ifneq ($(strip $(ODD)),)
$(error $(shell python3 scripts/explain_variable.py $(firstword $(ODD)) $(TOLD) TESTS FAULTS SEED \
	STORE SIMULATED LAMBDA_PYTHON BASE_IMAGE BUILD_OPTIONS REQUIRED))
endif

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(COINLOG) $(BUNDLE) $(AUTHORITY) ## Make .venv with coinlog in it, and the page's bundle
	@:

up: setup ## Record the market and show it at http://localhost:5000 (SIMULATED=1: a made-up one)
	@exec $(COINLOG) up $(if $(filter-out 0 no false,$(SIMULATED)),--simulated)

data: setup ## Add pandas and Parquet, for `import coinlog` and `coinlog export --format parquet`
	@$(STEP) "pandas and Parquet" scripts/setup_environment.sh requirements-data.lock

test: setup $(DEV) $(INFRA) $(CDK) $(AUDIT) ## Run the tests, on SQLite, real MariaDB and MySQL, and a real Chromium
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@$(STEP) "MySQL for the tests, where it can be had" scripts/install_mysql.sh
	@scripts/install_token_signin.sh
	@$(STEP) "Containers for the tests" scripts/install_container_tools.sh
	@.venv/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup $(BENCH) $(INFRA) $(AUDIT) ## Check format, rules, types, locks, and for secrets
	@$(STEP) "Format" .venv/bin/ruff format --check --output-format concise .
	@$(STEP) "Rules" .venv/bin/ruff check --quiet --output-format concise .
	@$(STEP) "Types" .venv/bin/mypy
	@$(STEP) "Shell scripts" .venv/bin/shellcheck scripts/*.sh scripts/step .ci/run compose/*.sh \
		tests/image/mariadb/*.sh
	@$(STEP) "Dockerfiles" .venv/bin/hadolint --failure-threshold warning Dockerfile tests/image/mariadb/Dockerfile
	@$(STEP) "Locks agree with what is asked for" .venv/bin/python scripts/check_locks.py
	@$(STEP) "Secrets in the history" .venv/bin/python scripts/scan_secrets.py
	@$(STEP) "Workflows" .venv/bin/zizmor --offline --quiet .github
	@$(STEP) "Types of the page's scripts" .venv/bin/node frontend/node_modules/typescript/bin/tsc --project frontend

weather: setup $(DEV) ## Let a storm of faults pass over it, and account for every slot (FAULTS=1000)
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@PYTHONPATH=tests .venv/bin/python -m weather --faults "$(or $(FAULTS),1000)" \
		--store "$(or $(STORE),both)" $(if $(SEED),--seed "$(SEED)") \
		$(if $(DOCS),--docs docs/weather.md)

bench: setup $(BENCH) ## Measure against the baselines; takes some minutes
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@$(STEP) "nginx and wrk for the comparison" scripts/install_bench_tools.sh
	@.venv/bin/python bench/run.py

bench-scale: setup $(BENCH) ## Measure at 0.7, 7 and 70 million quotes; takes a quarter of an hour and 25 GB
	@$(STEP) "MariaDB and Chromium for the tests" scripts/install_test_servers.sh
	@.venv/bin/python bench/scale.py

lambda: setup ## Make the packages for AWS Lambda in dist/ (LAMBDA_PYTHON=3.11: for that runtime)
	@.venv/bin/python scripts/build_lambda.py --python "$(LAMBDA_PYTHON)"

synth: lambda $(INFRA) $(CDK) ## Write the AWS stack's templates into cdk.out/ (offline, without Docker)
	@$(STEP) "Templates in cdk.out" scripts/cdk.sh synth --quiet

check-aws: synth $(CHECKOV) ## Let checkov look at the AWS stack's templates
	@$(STEP) "What checkov finds" scripts/check_aws.sh

estimate: setup $(INFRA) ## Say what coinlog on AWS costs a month (SHAPE=edition INTERVAL=1h ...)
	@$(ON_AWS).estimating

deploy: setup $(INFRA) $(CDK) ## Deploy to your AWS account (SHAPE=edition PUBLIC=yes DOMAIN=... INTERVAL=1h)
	@$(ON_AWS).deploy

destroy: setup $(INFRA) ## Take coinlog out of your AWS account again, keeping its data (DATA=delete: not them)
	@$(ON_AWS).destroy

tunnel: setup $(INFRA) ## Open a port here to the private database, for MySQL Workbench (PORT=3307)
	@$(ON_AWS).tunnel

ops: setup $(INFRA) ## Run a command of coinlog in your AWS account (CMD="verify --sample 5%")
	@$(ON_AWS).ops

image: ## Build the container image (BASE_IMAGE=python:3.11-slim: on another base)
	@scripts/build_image.sh

sbom: setup $(DEV) ## List what coinlog is made of, and the licences, in dist/
	@$(STEP) "Parts and licences in dist/" .venv/bin/python scripts/make_sbom.py

secrets: ## Make the passwords for `docker compose up`, in secrets/
	@$(STEP) "Passwords in secrets/" scripts/make_secrets.sh

audit: setup $(AUDIT) ## Ask whether what is locked has holes that are known (REQUIRED=1: fail where not)
	@.venv/bin/python scripts/audit.py $(if $(REQUIRED),--required)

scan-secrets: setup $(AUDIT) ## Look for secrets in every commit of every branch
	@$(STEP) "Secrets in the history" .venv/bin/python scripts/scan_secrets.py

lock: setup ## Refresh the locks to the newest versions that are a week old
	@$(STEP) "Locking" scripts/lock.sh

clean: ## Remove what make has made (never your data)
	@rm -rf .venv .venv-uv .venv-checkov .venv-audit frontend/node_modules infra/node_modules cdk.out \
		src/coinlog/web/static $(AUTHORITY) dist \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests scripts bench infra -name __pycache__ -prune -exec rm -rf {} +

$(RUNTIME): requirements.lock requirements-build.lock
	@$(STEP) "Python packages" scripts/setup_environment.sh $^
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@$(STEP) "Packages for tests and checks" scripts/setup_environment.sh requirements-dev.lock
	@touch $@

$(BENCH): requirements-bench.lock $(DEV)
	@$(STEP) "Packages for the benchmarks" scripts/setup_environment.sh requirements-bench.lock
	@touch $@

$(INFRA): requirements-infra.lock $(RUNTIME)
	@$(STEP) "Packages for AWS" scripts/setup_environment.sh requirements-infra.lock
	@touch $@

$(CHECKOV): requirements-checkov.lock scripts/install_checkov.sh
	@$(STEP) "checkov" scripts/install_checkov.sh
	@touch $@

$(AUDIT): requirements-audit.lock scripts/install_audit.sh
	@$(STEP) "What audits and scans" scripts/install_audit.sh
	@touch $@

$(COINLOG): $(RUNTIME) pyproject.toml src/coinlog/__init__.py
	@$(STEP) "coinlog itself" scripts/install_package.sh
	@touch $@

$(NODE_MODULES): frontend/package-lock.json frontend/.npmrc $(RUNTIME)
	@$(STEP) "Packages for the page" .venv/bin/npm --prefix frontend ci
	@touch $@

$(CDK): infra/package-lock.json infra/.npmrc $(RUNTIME)
	@$(STEP) "The CDK command" .venv/bin/npm --prefix infra ci
	@touch $@

$(BUNDLE): $(NODE_MODULES) scripts/build_frontend.py $(FRONTEND)
	@$(STEP) "The page's bundle" .venv/bin/python scripts/build_frontend.py

$(AUTHORITY): $(NODE_MODULES) scripts/build_rds_authority.py
	@$(STEP) "Who vouches for Amazon RDS" .venv/bin/python scripts/build_rds_authority.py
