# The whole vocabulary of the project.

.PHONY: test test-release soak fuzz deny demo engines lint fmt docs docs-pictures clients tools release dist install start-time bench

# Format, lint, dependencies and every test on every engine, ending with the totals over all test binaries.
test: lint deny engines release
	@FOUNDRYHUB_ALL_ENGINES=1 ./tests/run-all

# The tests of the process and those under real engines, the demo among them, on the executable as it is released.
test-release: engines release
	@FOUNDRYHUB_ALL_ENGINES=1 FOUNDRYHUB_PROVIDER=$$(./packaging/build) \
		cargo test --test it -- engines:: handshake:: process:: release::

# A thousand role assignments and fifty hubs through all of their life, while every fifth request goes wrong and the plugin
# and the engine are killed: half an hour or more. SEED=n repeats a run; `make test` has a short form.
soak: engines release
	@FOUNDRYHUB_SOAK_SEED=$(SEED) FOUNDRYHUB_PROVIDER=$$(./packaging/build) \
		cargo test --test it -- engines::soak --nocapture

# The way of a hub from keys to identity and back, with a real engine against the emulator; ENGINE=tofu takes OpenTofu,
# and PROVIDER=FILE another executable of the provider, such as the one that `make release` prints.
demo: tools
	cargo build --quiet --bin terraform-provider-foundryhub --example emulator
	@python3 examples/quickstart/demo.py $(ENGINE) $(if $(PROVIDER),--provider $(PROVIDER))

# The Terraform and the OpenTofu that tests need, in .engines/.
engines:
	@./tests/engines/setup

# The executable as it is released; on two cores some five minutes.
release: tools
	@./packaging/build

# Packages, checksums and a mirror of the release for this platform, in target/dist/.
dist: tools
	@./packaging/dist

# Puts the packages where Terraform and OpenTofu find them by themselves; MIRROR=DIRECTORY takes another place.
install:
	@./packaging/install

# How long the released executable takes from its start to its handshake, beside one that is linked dynamically.
start-time: release
	cargo build --release --bin terraform-provider-foundryhub
	@python3 tests/start_time.py "$$(./packaging/build)" target/release/terraform-provider-foundryhub

# What the provider costs beside floors of the engine and the protocol, and beside azapi where AZAPI_BINARY names one, into
# docs/internals/performance.md; on two cores some half an hour.
bench: engines release
	cargo build --profile bench --example emulator --example echo --example twin
	@./tests/bench/run

lint: tools
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

fmt: tools
	cargo fmt

# Every fuzz target for a minute, guided by coverage; `./tests/fuzz/run --merge` also keeps what it learns in the corpus.
fuzz: tools
	@./tests/fuzz/run

# Licences, sources and duplicates of the crates in the released executable.
deny: tools
	@./tests/deny

# Writes the pages under docs/ that come from the schema; the test that does it fails when one was stale.
docs: tools
	cargo test --test it docs::

# Pictures of README and some pages of docs/ in a browser, in target/docs-pictures/, to be looked at. Chromium and the Python
# package are those of Debian.
docs-pictures: tools
	@/usr/bin/python3 tests/docs_pictures.py

# Real Azure clients (azure-cli, azure-ai-ml, azure-mgmt-*) against the emulator; fetches them the first time. With
# AZAPI=PATH also azapi, whose built provider that is.
clients: tools
	@./tests/clients/run

# Names what is missing on this machine, and the command that installs it.
tools:
	@./tests/tools
