# Everything a person or the CI does here. `make` alone lists it. Each recipe is one line; what it does stands in scripts/.
.DEFAULT_GOAL := help
.PHONY: help test lint deny bench

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name about; do printf '  make %-14s %s\n' "$$name" "$$about"; done

test: ## everything: lint, unit tests, text cases, properties, live tests on a Docker Engine
	@scripts/test

lint: ## formatting, clippy with warnings denied, the law of imports
	@scripts/test lint

deny: ## bans, licences and sources of dependencies
	@scripts/deny

bench: ## how fast, beside Docker Compose, with a goal for each row (ROWS=config,load,turns,change RUNS=5)
	@scripts/needs && scripts/engine up && cargo bench --locked --bench table -- rows=$(ROWS) runs=$(RUNS)
