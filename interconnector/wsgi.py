"""The door for gunicorn: `gunicorn interconnector.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interconnector.settings")

application = get_wsgi_application()
