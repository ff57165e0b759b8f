"""Django settings. Everything that differs between installations comes from the environment."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

PACKAGE = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ATELIER_DATA", PACKAGE.parent.parent / "data")).resolve()


def _flag(name: str, default: str = "0") -> bool:
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


def _database(url: str) -> dict[str, object]:
    """Django's settings for a `postgres://user:password@host:port/name?option=value` address."""
    parts = urlsplit(url)
    return {
        "ENGINE": "atelier.market.core.database",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        # The timeout counts twice: see `core.database`.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 40, "timeout": 5}, **dict(parse_qsl(parts.query))},
    }


DEBUG = _flag("ATELIER_DEBUG")
DEMO = _flag("ATELIER_DEMO")
# Without one, a key nobody knows: what was signed ends with the process, and nobody else can sign.
SECRET_KEY = os.environ.get("ATELIER_SECRET_KEY") or secrets.token_urlsafe(48)
ALLOWED_HOSTS = os.environ.get("ATELIER_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
SITE_URL = os.environ.get("ATELIER_SITE_URL", f"http://localhost:{os.environ.get('ATELIER_PORT', '8000')}").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    # For the documentation pages of the API: their scripts come from here, not from somebody else's server.
    "ninja",
    "procrastinate.contrib.django",
    "atelier.market.core",
    "atelier.market.accounts",
    "atelier.market.ledger",
    "atelier.market.provenance",
    "atelier.market.works",
    "atelier.market.studio",
    "atelier.market.generation",
    "atelier.market.billing",
    "atelier.market.licences",
    "atelier.market.hiring",
    "atelier.market.discovery",
    "atelier.config",
    # After the rooms, whose templates dress its pages.
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "atelier.market.core.middleware.ErrorPages",
]

ROOT_URLCONF = "atelier.config.urls"
ASGI_APPLICATION = "atelier.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "atelier.market.core.context.site",
                "atelier.market.hiring.context.unread",
            ],
            "builtins": ["atelier.market.core.templatetags.atelier"],
        },
    }
]

DATABASES = {"default": _database(os.environ.get("DATABASE_URL", "postgres://atelier@127.0.0.1:5432/atelier"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_SIGNUP_FORM_CLASS = "atelier.market.accounts.forms.SignupForm"
ACCOUNT_RATE_LIMITS: dict[str, str] = {"login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Atelier"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https:")
BEHIND_PROXY = _flag("ATELIER_BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Behind a proxy every request comes from its address; whom to slow down after wrong passwords is in X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Letters are printed until there is a mail server to send them.
EMAIL_BACKEND = os.environ.get(
    "ATELIER_EMAIL_BACKEND",
    f"django.core.mail.backends.{'smtp' if 'ATELIER_EMAIL_HOST' in os.environ else 'console'}.EmailBackend",
)
EMAIL_FILE_PATH = os.environ.get("ATELIER_EMAIL_FOLDER", str(DATA / "mail"))
EMAIL_HOST = os.environ.get("ATELIER_EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("ATELIER_EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("ATELIER_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("ATELIER_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = _flag("ATELIER_EMAIL_TLS")
DEFAULT_FROM_EMAIL = os.environ.get("ATELIER_EMAIL_FROM", "Atelier <atelier@localhost>")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [PACKAGE / "market" / "static"]
MEDIA_ROOT = DATA / "files"
STORAGES = {
    "default": {"BACKEND": "atelier.market.core.storage.WholeFiles", "OPTIONS": {"location": MEDIA_ROOT}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
# Uploads go to disk beyond this size; the first handler keeps the bounds below while a request comes in.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
# The page where works are chosen for a training sends a field for each work that is ticked.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5100
FILE_UPLOAD_HANDLERS = [
    "atelier.market.works.receiving.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
UPLOAD_FILES_A_REQUEST = 200
UPLOAD_BYTES_A_REQUEST = int(os.environ.get("ATELIER_UPLOAD_BYTES_A_REQUEST", "200000000"))
UPLOAD_BYTES_A_CREATOR = int(os.environ.get("ATELIER_UPLOAD_BYTES_A_CREATOR", "2000000000"))

PROCRASTINATE_ON_APP_READY = None
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"

# The market's own settings ---------------------------------------------------------------------------------------
CURRENCY = "USD"
PLATFORM_FEE_BASIS_POINTS = int(os.environ.get("ATELIER_FEE_BASIS_POINTS", "1000"))
# What is said of tax beside a price; empty says that this market adds none.
TAX_NOTE = os.environ.get("ATELIER_TAX_NOTE", "")
PAYMENT_GATEWAY = os.environ.get("ATELIER_PAYMENT_GATEWAY", "atelier.market.billing.gateways.sandbox.SandboxGateway")
# What an operator wants otherwise in training, by engine: {"text": {"epochs": 3}}. Engines refuse unknown names.
TRAIN_RECIPES: dict[str, dict[str, float | int | str | bool]] = json.loads(
    os.environ.get("ATELIER_TRAIN_RECIPES", "{}")
)
SAMPLES_A_DAY_PER_VIEWER = int(os.environ.get("ATELIER_SAMPLES_A_DAY", "60"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("ATELIER_LOG_LEVEL", "INFO")},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        # It warns that the worker is the main module, which is how it is meant to run.
        "procrastinate.blueprints": {"level": "ERROR"},
        "django.request": {"level": "ERROR"},
    },
}
