# make up     the whole platform on this machine, until Ctrl-C
# make test   every check and test
# make bench  the side-by-side measurements
# make fuzz   fuzzes what strangers may send, SECONDS=900 each, TARGETS="mqtt messages"
#
# On a fresh Debian or Ubuntu with a Rust toolchain each installs what is missing.

.PHONY: up test bench fuzz test-e2e test-faults test-api test-containers fmt lint queries

up:
	@deploy/install/platform.sh
	@echo "Building hoshu: a few seconds when little has changed, up to 20 minutes the first time."
	@cargo build --locked --profile up --package hoshu
	@exec "$${CARGO_TARGET_DIR:-target}/up/hoshu" up

test:
	@deploy/install/containers.sh
	@exec .ci/with-servers .ci/check

bench:
	@deploy/install/bench.sh
	@PATH="$$PWD/.venv/bin:$$PATH" exec tests/load/run

fuzz:
	@deploy/install/fuzz.sh
	@PATH="$$PWD/.venv/bin:$$PATH" exec fuzz/run $(or $(SECONDS),900) $(TARGETS)

# From outside only: `hoshu up` as a process, real SDKs and clients.
test-e2e:
	@if [ -x tests/run ]; then PATH="$$PWD/.venv/bin:$$PWD/tests/node/node_modules/.bin:$$PATH" exec tests/run; fi

# The long form of tests/faults: every part, thousands of posts, about an hour and a half.
test-faults: export HOSHU_FAULTS_POSTS ?= 10000
test-faults: export HOSHU_FAULTS_DEVICES ?= 200
test-faults: export HOSHU_FAULTS_AWAY_SECONDS ?= 300
test-faults: export HOSHU_STORM_DEVICES ?= 10000
test-faults:
	@exec tests/run tests/faults -m "long or not long"

# The long form of tests/api/test_document.py: ten minutes of questions, others each time.
test-api: export HOSHU_API_SECONDS ?= 600
test-api: export HOSHU_API_SEED ?= $(shell date +%s)
test-api:
	@exec tests/run tests/api/test_document.py

# As users run it: docker-compose.yml with a container engine, deploy/kubernetes with podman.
test-containers:
	@deploy/install/containers.sh
	@exec tests/containers/run

fmt:
	@cargo fmt --all

lint:
	@deploy/install/tests.sh
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@PATH="$$PWD/tests/node/node_modules/.bin:$$PWD/.venv/bin:$$PATH" && cd proto && buf lint

# Writes .sqlx, which lets a build check its queries without a database.
queries:
	@deploy/install/tests.sh
	@exec .ci/with-servers .ci/queries write
