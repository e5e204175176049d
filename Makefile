# Everything a person or the CI does here. `make` alone lists it. Each recipe is one line; what it does stands in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run test test-crash test-engines tls lint deny record fuzz bench

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name about; do printf '  make %-14s %s\n' "$$name" "$$about"; done

run: ## build Hearth, see to a Docker Engine, bring a first profile up in ./home, and serve it
	@scripts/run

test: ## everything: lint, unit tests, text cases, properties, live tests on a Docker Engine
	@scripts/test

test-crash: ## kill -9 at every single action of a large apply (an hour and more)
	@scripts/test needs crash

test-engines: ## live tests on engines 20.10, 26.1 and 28.5, each started for it (as root)
	@scripts/test needs engines

tls: ## testssl.sh and sslyze against what Hearth and Traefik serve
	@scripts/test needs tls

lint: ## formatting, clippy with warnings denied
	@scripts/test lint

deny: ## bans, licences and sources of dependencies
	@scripts/deny

record: ## ask Docker Compose again about tests/compose/ and show what changed (COMPOSE5_BIN names a Compose 5; RECORD=ports/ only that)
	@RECORD=$${RECORD:-1} COMPOSE=$$(scripts/compose) cargo test --locked --test compose -- --nocapture

fuzz: ## every fuzz target for a short while (SECONDS_EACH=20)
	@scripts/fuzz $(SECONDS_EACH)

bench: ## how fast, beside Docker Compose, with a goal for each row (ROWS=config,load,turns,change,gate,login,render,serving,front,through,audit,people,panel RUNS=5)
	@scripts/needs && scripts/engine up && cargo bench --locked --bench table -- rows=$(ROWS) runs=$(RUNS)
