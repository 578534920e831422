# B24 Interconnector. `make` alone lists what there is.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev

.PHONY: help env venv venv-dev test check format demo bench run clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: .env ## write .env with fresh keys (never overwrites)

.env:
	@python3 deploy/setup/write_env.py

venv: $(INSTALLED) ## install what the service needs into .venv

venv-dev: $(INSTALLED_DEV) ## install what tests and checks need, too

$(INSTALLED): requirements.txt deploy/setup/venv.sh
	@sh deploy/setup/venv.sh requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements.txt requirements-dev.txt deploy/setup/venv.sh
	@sh deploy/setup/venv.sh requirements-dev.txt
	@touch $(INSTALLED) $@

demo: venv env ## deals and users move between emulated portals before your eyes (ONCE=1: end, exit code 0 if all arrived)
	@$(PYTHON) manage.py demo $(if $(ONCE),--once,)

test: venv-dev ## set up everything and run the whole suite
	@sh tests/servers.sh
	@sh tests/run.sh $(ARGS)

# what production looks like, whatever .env says
check: export SECRET_KEY = only-for-checking-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH
check: export FIELD_ENCRYPTION_KEYS = b25seS1mb3ItY2hlY2tpbmctYW5kLW5vdGhpbmctZWw=
check: export ALLOWED_HOSTS = bus.example.com
check: export PORTAL_HOSTS = *.bitrix24.ru
check: export DATABASE_URL = sqlite:///:memory:
check: export DEBUG = false
check: export HTTPS = true
check: export ALLOW_PRIVATE_HOSTS = false
check: venv-dev ## format, lint, types, import rules, migrations, deploy check
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy interconnector sync sandbox
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py check --fail-level WARNING
	$(PYTHON) manage.py check --deploy --fail-level WARNING

format: venv-dev ## put the code into its format
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: venv-dev env ## measure: webhooks a second, deals a minute
	@$(PYTHON) manage.py bench $(ARGS)

run: venv env ## web on http://127.0.0.1:8000 and one worker, until Ctrl-C
	@$(PYTHON) manage.py migrate --verbosity 0
	@sh deploy/setup/run.sh

clean: ## remove what can be made again (not .env, not var/)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache staticfiles
