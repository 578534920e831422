"""The one Django application of the product."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncConfig(AppConfig):
    """Registers the models, the admin and the checks."""

    name = "sync"
    verbose_name = _("Interconnector")
