#!/bin/sh
# Web and one worker side by side until Ctrl-C, or until one of them ends.
set -eu
python=.venv/bin/python
$python -m gunicorn interconnector.wsgi --config deploy/gunicorn.conf.py &
web=$!
$python manage.py qcluster &
worker=$!
stop() {
    trap '' INT TERM
    kill "$web" "$worker" 2>/dev/null || true
    wait
}
trap stop INT TERM EXIT
while kill -0 "$web" 2>/dev/null && kill -0 "$worker" 2>/dev/null; do sleep 1; done
