#!/bin/bash
# Does what the official image's script of this name does with the settings that docker-compose.yml gives: lays out the
# data once, then becomes the server.
set -euo pipefail

if [[ $(id -u) == 0 ]]; then
    chmod 700 "$PGDATA"
    chown postgres "$PGDATA" /var/run/postgresql
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
# Built into the official one.
set -- "$@" -c unix_socket_directories=/var/run/postgresql
chmod 700 "$PGDATA"
if ! [[ -s $PGDATA/PG_VERSION ]]; then
    initdb --username=postgres --pwfile=<(echo "$POSTGRES_PASSWORD")
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    # On its socket alone, as the official one.
    pg_ctl -D "$PGDATA" -w -o "${*:2} -c listen_addresses=" start
    createdb --username=postgres "$POSTGRES_DB"
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
