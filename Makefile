# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Recipes run in this folder and name everything by relative paths, so that its own path may contain spaces.
# Settings reach the programs by the environment, where the shell doesn't take them apart.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export INVENTORY LIMIT ARGS
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help audit venv .venv test lint docs lab demo clean

help:
	@echo 'make audit   audits this machine and writes netfit-report/'
	@echo '             INVENTORY=hosts.ini [LIMIT=pattern] audits other hosts; ARGS=… goes to ansible-playbook'
	@echo 'make venv    makes .venv with ansible-core and this collection'
	@echo 'make test    runs the tests and checks of each change (root on Debian or Ubuntu for all of them)'
	@echo '             ALL=1 also those on other Pythons and Ansibles, and the long stories on changed hosts'
	@echo 'make lint    runs the checks of the source alone'
	@echo 'make docs    makes build/site/, the documentation as a site to be read offline'
	@echo 'make lab     prepares what molecule/lab/lab needs (root)'
	@echo 'make demo    builds the incident, drives requests through it and audits it (root)'
	@echo 'make clean   removes what the other targets made'

audit:
	@python=$$(tools/find-python) && "$$python" tools/audit.py

venv .venv:
	@python=$$(tools/find-python) && "$$python" tools/prepare.py

test:
	@tests/run $(if $(ALL),all)

lint:
	@tests/run lint

docs:
	@python=$$(tools/find-python) && "$$python" tools/docs.py

lab:
	@python=$$(tools/find-python) && "$$python" tools/lab.py

demo:
	@python=$$(tools/find-python) && "$$python" tools/demo.py

clean:
	@rm -rf .venv .venv-docs .venv-lab .venv-test build netfit-report tests/output .pytest_cache .hypothesis .mypy_cache .ruff_cache .ansible
	@find . -name __pycache__ -prune -exec rm -rf {} +
