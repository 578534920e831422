# mypy: disable-error-code="misc"
"""The WSGI application, over the same database settings as ours; run as a program it makes the tables.

No middleware, no sessions, no admin: as bare as such a service can be.
"""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from interconnector.settings import DATABASES

settings.configure(
    DATABASES=DATABASES,
    INSTALLED_APPS=["rest_framework", "sandbox.benchmarks.bare"],
    MIDDLEWARE=[],
    ROOT_URLCONF="sandbox.benchmarks.bare.views",
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="bare",  # noqa: S106  # signs nothing
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "UNAUTHENTICATED_USER": None,
    },
)
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("bare").get_models():
            editor.create_model(model)
