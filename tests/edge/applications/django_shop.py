"""A Django site with accounts, forms, an admin site and static files, as `python django_shop.py FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

import waitress
from django.conf import settings

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])

FORM = "<form method=post>{% csrf_token %}{{ form }}<input name=text><button>send</button></form>"
TEMPLATES = {
    "form.html": FORM,
    "notes.html": "{% for each in messages %}said: {{ each }};{% endfor %}{{ notes|join:', ' }}" + FORM,
}

settings.configure(
    SECRET_KEY="not secret",
    ALLOWED_HOSTS=["shop.test"],
    ROOT_URLCONF=__name__,
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
    STATIC_URL="/static/",
    LOGIN_URL="/login/",
    LOGIN_REDIRECT_URL="/account/",
    LOGOUT_REDIRECT_URL="/",
    USE_TZ=True,
)

import django  # noqa: E402 - models can be imported only with the settings

django.setup()

from django.contrib import admin, messages  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView, LogoutView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.cache import cache_control  # noqa: E402
from django.views.static import serve  # noqa: E402


@cache_control(public=True, max_age=300)
def front_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome to the shop. " * 200)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"This is the account of {request.user}. " * 20)


def notes(request: HttpRequest) -> HttpResponse:
    """Keep notes in the session. A note that was posted leads to an absolute redirect, and then to a message."""
    if request.method == "POST":
        request.session["notes"] = [*request.session.get("notes", []), request.POST["text"]]
        messages.info(request, f"kept {request.POST['text']}")
        return HttpResponseRedirect(request.build_absolute_uri("/notes/"))
    return render(request, "notes.html", {"notes": request.session.get("notes", [])})


def only_securely(request: HttpRequest) -> HttpResponse:
    if not request.is_secure():
        return HttpResponseRedirect(f"https://{request.get_host()}{request.path}", status=301)
    return HttpResponse("This came over https.")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"line {number}\n" for number in range(100))


urlpatterns = [
    path("", front_page),
    path("account/", account),
    path("notes/", notes),
    path("secure/", only_securely),
    path("streamed/", streamed),
    path("login/", LoginView.as_view(template_name="form.html")),
    path("logout/", LogoutView.as_view()),
    path("static/<path>", cache_control(public=True, max_age=3600)(serve), {"document_root": FOLDER / "static"}),
    path("admin/", admin.site.urls),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for name in ("ann", "bob"):
        User.objects.create_superuser(name, password=f"{name}'s password")
    (FOLDER / "static").mkdir()
    (FOLDER / "static" / "style.css").write_text("body { color: black }\n" * 100)
    # else waitress removes X-Forwarded-Proto
    options = {"clear_untrusted_proxy_headers": False, "threads": 4, "_quiet": True}
    waitress.serve(get_wsgi_application(), host="127.0.0.1", port=PORT, **options)
