# shellcheck shell=bash
# Read once by the image of MariaDB, after it has made the database and the recorder's user: adds
# the page's user, who may read and nothing else, and where `coinlog replay` builds the store anew.
docker_process_sql <<SQL
CREATE USER 'coinlog_page'@'%' IDENTIFIED BY '$(cat /run/secrets/page_password)';
GRANT SELECT ON \`coinlog\`.* TO 'coinlog_page'@'%';
GRANT ALL ON \`coinlog\\_replay\`.* TO 'coinlog_recorder'@'%';
SQL
