"""Settings, each of which an environment variable can change (README, "Settings").

The default is the embedded one: SQLite and every file under ``var/``, no debug output,
served to this machine only.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# Read when pyarrow is first used. Its own allocator holds on to some 15 MB of every process.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def env_text(name: str, default: str) -> str:
    return os.environ.get(f"MUSESCAN_{name}", default)


def env_bool(name: str, default: bool) -> bool:
    value = env_text(name, "yes" if default else "no").strip().lower()
    if value in {"1", "yes", "true", "on"}:
        return True
    if value in {"0", "no", "false", "off"}:
        return False
    raise ImproperlyConfigured(f"MUSESCAN_{name} must be yes or no; got {value!r}")


def env_whole(name: str, default: int, *, minimum: int) -> int:
    value = env_text(name, str(default)).strip()
    if not value.isdecimal() or int(value) < minimum:
        raise ImproperlyConfigured(
            f"MUSESCAN_{name} must be a whole number of at least {minimum}; got {value!r}"
        )
    return int(value)


def env_list(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(f"MUSESCAN_{name}")
    return default if value is None else [item.strip() for item in value.split(",") if item.strip()]


DATA_DIR = Path(env_text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)


def secret_key() -> str:
    """The key from the environment, or one made once and kept beside the database."""
    given = os.environ.get("MUSESCAN_SECRET_KEY")
    if given:
        return given
    path = DATA_DIR / "secret_key"
    if not path.exists():
        # Written whole under another name (mode 0600) and linked: of two first starts one
        # wins, and neither ever reads half a key.
        with tempfile.NamedTemporaryFile("w", dir=DATA_DIR) as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(file.name)
    return path.read_text()


SECRET_KEY = secret_key()
DEBUG = env_bool("DEBUG", False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("TRUSTED_ORIGINS", [])

# Behind a proxy that ends TLS: cookies travel over HTTPS only, and the proxy's word is believed.
HTTPS = env_bool("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "csp",
    "django_tasks",
    "django_tasks_db",
    # Last, so that its admin can take back what others have registered.
    "studies.apps.StudiesConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "studies.urls"
WSGI_APPLICATION = "studies.wsgi.application"
ASGI_APPLICATION = "studies.asgi.application"

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
                "studies.views.participant.arrivals.pilot_notice",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        env_text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'musescan.sqlite3'}"),
        conn_max_age=60,
        conn_health_checks=True,
        # Behind a pooler that lends a connection for one transaction, nothing may be left on it.
        disable_server_side_cursors=env_bool("DATABASE_POOLER", False),
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A read that turns into a write fails at once under a second writer, whatever the timeout;
    # taking the write lock when the transaction begins makes writers queue instead.
    # synchronous=FULL: an acknowledged answer survives a power cut, not only a killed process.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# Work that outlasts a page: queued in the database, done by `manage.py db_worker`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
CSRF_FAILURE_VIEW = "studies.views.errors.csrf_failure"
LOGIN_URL = "workspace:sign-in"
LOGIN_REDIRECT_URL = "workspace:studies"
LOGOUT_REDIRECT_URL = "workspace:sign-in"

LANGUAGE_CODE = "en"
# Participants' pages follow their study's language; researchers' pages are in English.
LOCALE_PATHS = [BASE_DIR / "studies" / "locale"]
TIME_ZONE = env_text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# Where scans are calibrated: processes of this machine, or a Dask cluster if one is named.
SCAN_WORKERS = env_whole("SCAN_WORKERS", 1, minimum=1)
CLUSTER = env_text("CLUSTER", "").strip()

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Images, activations and weights: never under a public address, only through views that ask who.
MEDIA_ROOT = DATA_DIR / "media"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "style-src": [SELF, NONCE],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "studies.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "studies.api.errors.envelope",
}
REST_KNOX = {"TOKEN_TTL": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Musescan",
    "DESCRIPTION": "Rating studies of creatively generated images.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # Fields called “kind” and “state” choose from different lists in different rows.
    "ENUM_NAME_OVERRIDES": {
        "BlockKindEnum": "studies.models.blocks.BlockKind",
        "ParticipantKindEnum": "studies.models.kinds.ParticipantKind",
        "ParticipantStateEnum": "studies.models.participation.ParticipantState",
        "JobStateEnum": "studies.models.jobs.JobState",
        "StudyStateEnum": "studies.models.studies.StudyState",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("LOG_LEVEL", "WARNING")},
}
