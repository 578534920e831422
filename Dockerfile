# Two stages: the compiler that mysqlclient needs stays in the first.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev pkg-config default-libmysqlclient-dev \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /build/requirements.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /build/requirements.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /app --no-create-home interconnector
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY interconnector ./interconnector
COPY sync ./sync
COPY templates ./templates
COPY examples ./examples
COPY deploy/gunicorn.conf.py ./deploy/gunicorn.conf.py
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BIND=0.0.0.0:8000
# var/ holds the SQLite file where no other database is named; the keys here are for this one command
RUN mkdir var \
 && SECRET_KEY=of-the-build FIELD_ENCRYPTION_KEYS=of-the-build python manage.py collectstatic --noinput \
 && chown -R interconnector:interconnector var
USER 10001:10001
EXPOSE 8000
# of the web; a worker watches over itself. 127.0.0.1 must stand in ALLOWED_HOSTS.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# exec form: the process is PID 1 and gets SIGTERM itself. A worker: `python manage.py qcluster`.
CMD ["gunicorn", "interconnector.wsgi", "--config", "deploy/gunicorn.conf.py"]
