"""A Django site with accounts, forms, an admin site and static files, as `python django_shop.py FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

import django
import waitress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])

FORM = "<form method=post>{% csrf_token %}{{ form }}<input name=text><button>send</button></form>"
TEMPLATES = {
    "form.html": FORM,
    "notes.html": "{% for each in messages %}said: {{ each }};{% endfor %}{{ notes|join:', ' }}" + FORM,
}

settings.configure(
    SECRET_KEY="not secret",
    ALLOWED_HOSTS=["shop.test"],
    ROOT_URLCONF="django_pages",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "shop.sqlite"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # any other takes its time on purpose
    INSTALLED_APPS=[
        f"django.contrib.{each}" for each in ("admin", "auth", "contenttypes", "messages", "sessions", "staticfiles")
    ],
    MIDDLEWARE=[
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    ("django.template.loaders.locmem.Loader", TEMPLATES),
                    "django.template.loaders.app_directories.Loader",
                ],
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
            },
        }
    ],
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    STATIC_ROOT=FOLDER / "static",
    STATIC_URL="/static/",
    LOGIN_URL="/login/",
    LOGIN_REDIRECT_URL="/account/",
    LOGOUT_REDIRECT_URL="/",
    USE_TZ=True,
)

if __name__ == "__main__":
    django.setup()
    call_command("migrate", verbosity=0)
    for name in ("ann", "bob"):
        get_user_model().objects.create_superuser(name, password=f"{name}'s password")
    (FOLDER / "static").mkdir()
    (FOLDER / "static" / "style.css").write_text("body { color: black }\n" * 100)
    # else waitress removes X-Forwarded-Proto
    options = {"clear_untrusted_proxy_headers": False, "threads": 4, "_quiet": True}
    waitress.serve(get_wsgi_application(), host="127.0.0.1", port=PORT, **options)
