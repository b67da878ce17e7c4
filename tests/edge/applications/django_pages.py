"""The pages of the Django site. They can be imported only once Django has its settings."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.static import serve


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
    path("static/<path>", cache_control(public=True, max_age=3600)(serve), {"document_root": settings.STATIC_ROOT}),
    path("admin/", admin.site.urls),
]
