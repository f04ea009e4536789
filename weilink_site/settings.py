"""Django's settings, computed from `environment.HostSettings`; no variable is read here."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from weilink_site.host import environment, logs, places, values
from weilink_site.postgresql.options import ALIVE, POOL

HOST = environment.load()
DEMO = environment.is_demo()
BASE_DIR = places.SOURCES
DATA_DIR = HOST.data_dir
os.umask(0o077)  # whichever command made it: nobody else on this machine reads the data
TESTING = "pytest" in sys.modules

SECRET_KEY = environment.secret_key(HOST)
SECRET_KEY_FALLBACKS = environment.secret_key_fallbacks(HOST)
CREDENTIAL_KEYS = environment.credential_keys(HOST)
DEBUG = HOST.debug
PUBLIC_URL = HOST.resolved_public_url()
_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"
_public_host = values.allowed_host(_public.hostname or "")
ALLOWED_HOSTS = HOST.allowed_hosts or ["localhost", "127.0.0.1", "[::1]", _public_host]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
TRUSTED_PROXIES = HOST.trusted_proxies

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "channels",
    "django_htmx",
    "csp",
    "ninja",  # for the static files of /api/docs
    "weilink_site",
    "sessions_app",
    "messaging",
]

MIDDLEWARE = [
    "weilink_site.pages.proxies.TrustedProxyMiddleware",
    "sessions_app.recording.origin.OriginMiddleware",
    "weilink_site.pages.refusals.RefusalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "weilink_site.pages.static_files.StaticFilesMiddleware",
    "weilink_site.pages.headers.EveryAnswerMiddleware",
    "weilink_site.pages.caching.PagesAreNotKeptMiddleware",
    "weilink_site.pages.compression.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "messaging.api.edge.ApiEdgeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "sessions_app.people.middleware.ReaderMiddleware",
    "sessions_app.people.middleware.BrowserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "weilink_site.urls"
ASGI_APPLICATION = "weilink_site.asgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "weilink_site.pages.rendering.RoomyTemplates",
        "NAME": "django",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "weilink_site.pages.context.console",
            ],
            "builtins": ["sessions_app.templatetags.console"],
        },
    },
]


def _database(config: dict[str, Any]) -> dict[str, Any]:
    """SQLite: WAL with FULL (a power cut undoes no commit); PostgreSQL: a pool for the pages."""
    if config["ENGINE"] == values.SQLITE:
        environment.made_folder(Path(config["NAME"]).parent)
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000;",
        }
    else:
        given = config.get("OPTIONS") or {}
        config["OPTIONS"] = {**ALIVE, **given, "pool": False if TESTING else POOL}
    return config


DATABASES = {"default": _database(HOST.database())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = HOST.redis_url
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {
        "BACKEND": "sessions_app.realtime.linked_layer.LinkedChannelLayer",
        "CONFIG": {"capacity": 1000},
    }
}

CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "weilink",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # More than anybody can fill within a throttle's time, so that no count is pushed out.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

AUTH_USER_MODEL = "sessions_app.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SESSION_ENGINE = "sessions_app.database.browser_keys"
SIGN_IN_IDLE = timedelta(hours=HOST.weilink_sign_in_idle_hours)
SIGN_IN_MAX = timedelta(hours=HOST.weilink_sign_in_max_hours)
SESSION_COOKIE_AGE = int(
    SIGN_IN_MAX.total_seconds()
)  # rows end earlier, see `browser_keys.ends_at`
SESSION_COOKIE_NAME = "weilink_session"
CSRF_COOKIE_NAME = "weilink_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "weilink_site.pages.error_pages.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [places.PACKAGE / "locale"]
LANGUAGE_COOKIE_NAME = "weilink_language"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
# Not "static": a database file in the checkout itself would make our sources the target.
STATIC_ROOT = DATA_DIR / "gathered_static"
# Installed from a wheel they lie inside this app, where Django finds them by itself.
STATICFILES_DIRS = [] if places.IS_INSTALLED else [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # Nobody else on this machine reads what people sent.
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "weilink_site.pages.static_files.GatheredStaticStorage"
    },
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = HOST.weilink_media_root

WEILINK_BASE_PATH = HOST.weilink_base_path
WEILINK_STORE = HOST.weilink_store
WEILINK_ILINK_URL = HOST.weilink_ilink_url
WEILINK_CDN_URL = HOST.weilink_cdn_url

LOGGING = logs.config(HOST)
