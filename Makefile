.DEFAULT_GOAL := help
.PHONY: help demo build test lint fmt deny e2e fuzz bench clean

help: ## this list
	@sed -nE 's/^([a-z0-9]+):.*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r t d; do printf '  make %-8s %s\n' "$$t" "$$d"; done

demo: ## the main job end to end, against real servers on this machine
	@demo/run.sh

build: ## the release binary: target/release/ringfence
	cargo build --release --locked --bin ringfence

test: ## every check and test, as continuous integration runs them
	@scripts/test.sh

lint: ## formatting and clippy
	@scripts/test.sh fmt clippy bench-code

fmt: ## format the code
	cargo fmt --all
	cargo fmt --manifest-path bench/Cargo.toml -p loadgen -p policy-bench

deny: ## licences, layers, sources and advisories of the dependencies
	@scripts/test.sh deny

e2e: ## the end-to-end tests against target/debug/ringfence
	@scripts/test.sh e2e

fuzz: ## every fuzz target for 60 seconds
	@fuzz/run.sh 60

bench: ## side by side with peers (bench/run.sh --install fetches the peers)
	@bench/run.sh all

clean: ## remove build outputs
	cargo clean
	cargo clean --manifest-path bench/Cargo.toml
