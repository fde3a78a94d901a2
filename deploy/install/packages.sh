#!/bin/sh
# Installs the Debian packages given as arguments; none of their services is started,
# now or at the next boot. Without arguments nothing happens.
set -eu

[ $# -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing on this machine: $*. This is not a Debian or Ubuntu: install them in its own way and try again." >&2
    exit 1
fi
echo "Missing on this machine, and installed now by apt-get: $*"
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root=sudo
    echo "This goes through sudo, which may ask for your password."
else
    echo "Neither root nor sudo: run as root \`apt-get install $*\` and try again." >&2
    exit 1
fi

# policy-rc.d is how Debian lets an administrator forbid package scripts to start
# services. What was there before comes back, also after an interrupted run.
$as_root sh -eu -s -- "$@" <<'AS_ROOT'
policy=/usr/sbin/policy-rc.d
saved=$policy.before-hoshu
# By which ours is known when a killed run has left it.
mark='Written by hoshu'
restore() {
    rm -f "$policy"
    if [ -e "$saved" ]; then mv "$saved" "$policy"; fi
}
if [ -e "$saved" ] || grep -qs "$mark" "$policy"; then restore; fi
if [ -e "$policy" ]; then mv "$policy" "$saved"; fi
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\n# %s while it installs packages.\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
apt-get install -y -qq --no-install-recommends "$@" </dev/null

if command -v systemctl >/dev/null; then
    for package in "$@"; do
        case $package in
        postgresql | nats-server | mosquitto | prometheus) units=$package ;;
        docker.io) units='docker.service docker.socket containerd.service' ;;
        podman) units='podman.service podman.socket podman-restart.service podman-auto-update.timer' ;;
        *) units='' ;;
        esac
        for unit in $units; do systemctl disable --quiet "$unit" || true; done
    done
fi
AS_ROOT
