# The whole vocabulary of the project.

.PHONY: test demo engines lint fmt docs clients tools

# Format, lint and every test on every engine, ending with the totals over all test binaries.
test: lint engines
	@FOUNDRYHUB_ALL_ENGINES=1 ./tests/run-all

# The way of a hub from keys to identity and back, with a real engine against the emulator; ENGINE=tofu takes OpenTofu.
demo: tools
	cargo build --quiet --bin terraform-provider-foundryhub --example emulator
	@python3 examples/quickstart/demo.py $(ENGINE)

# The Terraform and the OpenTofu that tests need, in .engines/.
engines:
	@./tests/engines/setup

lint: tools
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

fmt: tools
	cargo fmt

# Writes the pages under docs/ that come from the schema; the test that does it fails when one was stale.
docs: tools
	cargo test --test it docs::

# Real Azure clients (azure-cli, azure-ai-ml, azure-mgmt-*) against the emulator; fetches them the first time. With
# AZAPI=PATH also azapi, whose built provider that is.
clients: tools
	@./tests/clients/run

# Names what is missing on this machine, and the command that installs it.
tools:
	@./tests/tools
