#!/bin/sh
# Installs what `hoshu up` runs on, where it is missing: PostgreSQL and NATS.
set -eu
cd "$(dirname "$0")"

if ! command -v cargo >/dev/null; then
    echo "There is no Rust toolchain: get one (1.94 or newer) from https://rustup.rs and try again." >&2
    exit 1
fi

missing=""
if [ -z "${HOSHU_DATABASE_URL-}${HOSHU_POSTGRES_BIN-}" ] && ! command -v initdb >/dev/null &&
    ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    missing="$missing postgresql"
fi
if [ -z "${HOSHU_NATS_URL-}${HOSHU_NATS_BIN-}" ] && ! PATH="$PATH:/usr/sbin:/usr/local/bin" command -v nats-server >/dev/null; then
    missing="$missing nats-server"
fi
# Words of our own, none with a space.
# shellcheck disable=SC2086
./packages.sh $missing
