# The whole vocabulary of the project: make test, make lint, make fmt.

.PHONY: test lint fmt clients

# Format, lint and every test, ending with the totals over all test binaries.
test: lint
	@./tests/run-all

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

fmt:
	cargo fmt

# Real Azure clients (azure-cli, azure-ai-ml, azure-mgmt-*) against the emulator; fetches them the first time.
clients:
	./tests/clients/run
