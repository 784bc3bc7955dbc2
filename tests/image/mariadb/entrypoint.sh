#!/bin/bash
# Make the database and its user at the first start, as the environment says, and read the files in
# /docker-entrypoint-initdb.d, which may call docker_process_sql; then be the server.
set -eu
serve=(mariadbd --no-defaults --user=mysql --datadir=/var/lib/mysql --socket=/tmp/mysqld.sock)

docker_process_sql() {
    mariadb --no-defaults --socket=/tmp/mysqld.sock --user=root \
        --password="$(cat "$MARIADB_ROOT_PASSWORD_FILE")" "$@"
}

if [ ! -d /var/lib/mysql/mysql ]; then
    mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/mysql --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null
    "${serve[@]}" --skip-networking &
    server=$!
    until mariadb --no-defaults --socket=/tmp/mysqld.sock --user=root 2>/dev/null <<SQL
CREATE DATABASE $MARIADB_DATABASE;
CREATE USER $MARIADB_USER@'%' IDENTIFIED BY '$(cat "$MARIADB_PASSWORD_FILE")';
GRANT ALL ON $MARIADB_DATABASE.* TO $MARIADB_USER@'%';
ALTER USER root@localhost IDENTIFIED BY '$(cat "$MARIADB_ROOT_PASSWORD_FILE")';
SQL
    do sleep 0.1; done
    for file in /docker-entrypoint-initdb.d/*; do
        # shellcheck source=/dev/null
        . "$file"
    done
    kill $server
    wait $server
fi
exec "${serve[@]}"
