#!/bin/sh
# The whole suite: on SQLite; what touches the database again on MariaDB; then the journeys with real
# processes, which take both engines themselves. With arguments: one run of pytest with them.
set -u
python=.venv/bin/python
[ $# -gt 0 ] && exec $python -m pytest "$@"

failed=0
# more processes than cores: half of the time they wait
echo "== on SQLite"
$python -m pytest -n 3 --dist worksteal -m "not journey" || failed=1

has_mysql() {
    TEST_DATABASE=mysql TEST_RUN_FOLDER=none $python - <<'PY'
import sys
import environ, MySQLdb
from tests import environment
url = environ.Env.db_url_config(environment.os.environ["DATABASE_URL"])
try:
    MySQLdb.connect(host=url["HOST"], port=int(url["PORT"] or 3306), user=url["USER"], password=url["PASSWORD"])
except MySQLdb.Error as error:
    sys.exit(f"skipped: {error}")
PY
}

echo "== again on MariaDB, what touches the database"
if has_mysql; then
    TEST_DATABASE=mysql $python -m pytest -n 3 --dist worksteal -m "not journey" || failed=1
elif [ "${CI:-}" = true ]; then
    failed=1
fi

# journeys mostly wait for their processes
echo "== journeys"
$python -m pytest -n 4 --maxschedchunk=1 -m journey --durations=12 || failed=1
exit $failed
