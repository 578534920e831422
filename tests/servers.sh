#!/bin/sh
# The servers the tests speak to, on the loopback: MariaDB, Redis, RabbitMQ; and a Chromium.
# A server that answers is used. Another one is started, and as root installed by apt first. What is missing
# is named: its tests are skipped; with CI=true that is a failure. Addresses of your own: TEST_MYSQL_URL,
# TEST_REDIS_URL, TEST_RABBITMQ_URL, CHROMIUM.
set -u
python=.venv/bin/python
missing=

is_root() { [ "$(id -u)" = 0 ]; }

# answers URL DEFAULT_PORT: does something listen there?
answers() {
    $python - "$1" "$2" <<'PY' 2>/dev/null
import socket, sys
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
socket.create_connection((url.hostname, url.port or int(sys.argv[2])), timeout=2).close()
PY
}

install() { # install COMMAND PACKAGE
    command -v "$1" >/dev/null && return 0
    is_root && command -v apt-get >/dev/null || return 1
    echo "Installing $2 ..."
    [ -n "${updated:-}" ] || apt-get update -qq
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

start() { # start SERVICE COMMAND...: by the system's own means, or straight where those are barred
    service=$1
    shift
    service "$service" start >/dev/null 2>&1 || "$@" >/dev/null 2>&1
}

# need NAME URL DEFAULT_PORT SERVICE PACKAGE PROGRAM COMMAND...
need() {
    name=$1 url=$2 port=$3 service=$4 package=$5 program=$6
    shift 6
    answers "$url" "$port" && return 0
    case $url in *@127.0.0.1[:/]* | *//127.0.0.1[:/]*) ;; *) missing="$missing $name($url)"; return 1 ;; esac
    if is_root && install "$program" "$package"; then
        echo "Starting $name ..."
        start "$service" "$@"
        for _ in $(seq 60); do
            answers "$url" "$port" && return 0
            sleep 1
        done
    fi
    missing="$missing $name"
    return 1
}

need MariaDB "${TEST_MYSQL_URL:-mysql://b24_test@127.0.0.1:3306/}" 3306 mariadb mariadb-server mariadbd \
    start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd
need Redis "${TEST_REDIS_URL:-redis://127.0.0.1:6379/}" 6379 redis-server redis-server redis-server \
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no
need RabbitMQ "${TEST_RABBITMQ_URL:-amqp://127.0.0.1:5672/}" 5672 rabbitmq-server rabbitmq-server \
    rabbitmq-server rabbitmq-server -detached

# an account of the tests' own, for their scratch databases only; root's is left alone
if [ -z "${TEST_MYSQL_URL:-}" ] && is_root && command -v mariadb >/dev/null; then
    for host in localhost 127.0.0.1; do
        echo "CREATE USER IF NOT EXISTS 'b24_test'@'$host' IDENTIFIED BY 'b24_test';"
        for databases in 'b24\_%' 'test\_b24\_%'; do
            echo "GRANT ALL ON \`$databases\`.* TO 'b24_test'@'$host';"
        done
    done | mariadb || missing="$missing MariaDB(account)"
fi

[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
    install chromium chromium || missing="$missing chromium"

[ -z "$missing" ] && exit 0
echo "Not to be had here, so tests that need it are skipped:$missing"
[ "${CI:-}" = true ] && { echo "CI skips nothing."; exit 1; }
exit 0
