"""Settings: the one reader of the environment. Every name is explained in docs/configuration.md."""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from interconnector.databases import own_database, tuned
from interconnector.policy import CONTENT_SECURITY_POLICY  # noqa: F401  # it is a setting
from interconnector.rest import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401  # they are settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

# --- Keys and hosts ---------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. `make env` writes a .env file with fresh keys.")
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[])
if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured(
        "FIELD_ENCRYPTION_KEYS is not set: portal secrets are stored encrypted. `make env` writes one; "
        "docs/configuration.md tells how to make and rotate them."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "interconnector.urls"
WSGI_APPLICATION = "interconnector.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "sync",  # before django_q: our qcluster command replaces its own
    "sync.apps.InterconnectorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
if find_spec("sandbox"):  # emulators, demo and benchmarks; the production image leaves them out
    INSTALLED_APPS.append("sandbox")
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "sync.api.middleware.straight_to_webhooks",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "sync.api.middleware.straight_to_users",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Databases and cache ----------------------------------------------------------------------------
DATABASES = {"default": own_database(env, folder=BASE_DIR / "var")}
DIRECTORIES_ALIAS = "default"  # whose database holds the tables of reference data
if url := env.str("DIRECTORIES_DATABASE_URL", default=""):
    DIRECTORIES_ALIAS = "directories"
    DATABASES[DIRECTORIES_ALIAS] = tuned(env, dict(env.db_url_config(url)))
DATABASE_ROUTERS = ["sync.models.reference.ReferenceRouter"]
REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- Workers and wake-ups (docs/architecture.md, "The walk of one request") -------------------------
TASK_SECONDS = 120  # more than one drain (15 s) and its last request (65 s)
Q_CLUSTER = {
    "name": "bus",
    "orm": "default",
    # the database, and liveness for our supervisor
    "broker_class": "sync.queue.liveness.ProbingBroker",
    "workers": env.int("WORKERS", default=4),
    "timeout": TASK_SECONDS,
    "retry": 300,
    "queue_limit": 8,
    "bulk": 1,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "poll": env.float("QUEUE_POLL_SECONDS", default=0.2),
    "guard_cycle": 0.5,
    "recycle": 500,
    "log_level": "WARNING",
    "label": "Django Q",
}

# --- Portals, leads, directories --------------------------------------------------------------------
BITRIX_SOURCE_URL = env.str("BITRIX_SOURCE_URL", default="")
BITRIX_TARGET_URL = env.str("BITRIX_TARGET_URL", default="")
BITRIX_WEBHOOK_URL = env.str("BITRIX_WEBHOOK_URL", default="")
B24_AUTH_TOKEN = env.str("B24_AUTH_TOKEN", default="")
SYNC_SCHEDULE = env.str("SYNC_SCHEDULE", default="0 0 * * *")  # of reading the directories
RABBITMQ_URL = env.str("RABBITMQ_URL", default="")  # empty: both roles in one process
RABBITMQ_QUEUE = env.str("RABBITMQ_QUEUE", default="bitrix_queue")
RABBITMQ_REPLY_QUEUE = env.str("RABBITMQ_REPLY_QUEUE", default="bitrix.responses")
PHONE_REGION = env.str("PHONE_REGION", default="RU")  # whose numbers need no +
ORIGINAL_SOURCE, ORIGINAL_RECEIVER = "source", "vinipol"  # whose the addresses /webhooks/… are
PORTAL_HOSTS = env.list(
    "PORTAL_HOSTS",
    default=[
        "*.bitrix24.ru", "*.bitrix24.com", "*.bitrix24.by", "*.bitrix24.kz", "*.bitrix24.eu", "*.bitrix24.de",
        "*.bitrix24.fr", "*.bitrix24.it", "*.bitrix24.pl", "*.bitrix24.es", "*.bitrix24.in", "*.bitrix24.uk",
        "*.bitrix24.com.br", "*.bitrix24.com.tr", "*.bitrix24.mx", "*.bitrix24.co", "*.bitrix24.vn",
        "*.bitrix24.id", "*.bitrix24.jp", "*.bitrix24.cn", "*.bitrix24.site", "*.bitrix24.shop",
        "oauth.bitrix24.tech", "oauth.bitrix.info",
    ],
)  # fmt: skip
ALLOW_PRIVATE_HOSTS = env.bool("ALLOW_PRIVATE_HOSTS", default=False)
RETENTION_DAYS = env.int("RETENTION_DAYS", default=90)
MAX_BODY_BYTES = 1024 * 1024
MAX_FILE_BYTES = env.int("MAX_FILE_MB", default=50) * 1024 * 1024
DUPLICATE_WINDOW_SECONDS = env.int("DUPLICATE_WINDOW_SECONDS", default=60)
REQUESTS_AT_ONCE = max(1, env.int("REQUESTS_AT_ONCE", default=10))
WATCHDOG_SECONDS = env.int("WATCHDOG_SECONDS", default=60)

# --- Language and time zone -------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="ru")
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "sync" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Moscow")
USE_I18N = True
USE_TZ = True

# --- Static files and HTTPS -------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
with suppress(OSError):  # WhiteNoise warns where it is missing
    STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # names without hashes: the admin works before collectstatic, too
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
HTTPS = env.bool("HTTPS", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# --- Logs and error reports -------------------------------------------------------------------------
DEFAULT_EXCEPTION_REPORTER = "sync.redaction.error_pages.MaskingReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "sync.redaction.error_pages.MaskingReporterFilter"
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask": {"()": "sync.redaction.masking.MaskingFilter"}},
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "style": "{",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["mask"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django-q": {"level": "WARNING"},  # it logs every wake-up
        "pika": {"level": "CRITICAL"},  # we log its errors ourselves
        # their own handlers would write addresses with tokens unmasked
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
if SENTRY_DSN := env.str("SENTRY_DSN", default=""):
    from sync.redaction.sentry import report_to  # only where it is used

    report_to(SENTRY_DSN)
