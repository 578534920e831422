"""The one Django application of the product."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync import checks, i18n


class SyncConfig(AppConfig):
    """Registers models, admin, checks and the translator; sets an empty database up after `migrate`."""

    name = "sync"
    default = True
    verbose_name = _("Interconnector")

    def ready(self) -> None:
        """Register all of it. A signal starts the set-up: `migrate` has no other hook after its end."""
        i18n.set_translator(gettext)
        for check in checks.ALWAYS:
            register(check)
        for check in checks.BEFORE_DEPLOY:
            register(check, deploy=True)
        # by name: models may not be imported before every application is loaded
        post_migrate.connect(import_string("sync.config.first_start.after_migrate"), sender=self)


class InterconnectorAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in the place of its own."""

    default = False
    default_site = "sync.admin_site.InterconnectorSite"
