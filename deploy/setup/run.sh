#!/bin/sh
# Web and one worker side by side until Ctrl-C, or until one of them ends.
set -eum # m: a process group each, so that Ctrl-C comes to this script alone and both are asked to end once
python=.venv/bin/python
$python -m gunicorn interconnector.wsgi --config deploy/gunicorn.conf.py &
web=$!
$python manage.py qcluster &
worker=$!
stop() {
    trap '' INT TERM EXIT
    kill "$web" "$worker" 2>/dev/null || true
    wait
    exit "$1"
}
trap 'stop 0' INT TERM
trap 'stop 1' EXIT
while kill -0 "$web" 2>/dev/null && kill -0 "$worker" 2>/dev/null; do sleep 1; done
