"""A Flask site with a login, messages and absolute redirects, for gunicorn."""

from __future__ import annotations

from flask import Flask, abort, flash, get_flashed_messages, jsonify, make_response, redirect, request, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

app = Flask(__name__)
app.secret_key = "not secret"
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign] # as Flask's manual has it


@app.post("/login")
def log_in() -> Response:
    session["name"] = request.form["name"]
    flash(f"Welcome, {session['name']}!")
    return redirect(url_for("home", _external=True), 303)


@app.post("/logout")
def log_out() -> Response:
    session.clear()
    return redirect(url_for("home", _external=True))


@app.get("/")
def home() -> Response | str:
    if "name" not in session:
        return "Nobody is logged in."
    return f"{' '.join(get_flashed_messages())} This is the page of {session['name']}."


@app.get("/news")
def news() -> Response:
    """Return a page for everybody, which the application nevertheless makes in a session that it renews."""
    session["visits"] = session.get("visits", 0) + 1
    answer = make_response("The same news for all.")
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    return answer.make_conditional(request)


@app.get("/private-api")
def private_api() -> Response:
    """Return what belongs to the bearer of a token, with a lifetime for the browser of that bearer."""
    if request.authorization is None:
        abort(401)
    answer = jsonify(token=request.authorization.token)
    answer.headers["Cache-Control"] = "max-age=300"
    return answer


@app.get("/preferred")
def preferred() -> Response:
    """Return a page in the language that the browser prefers."""
    language = request.accept_languages.best_match(["de", "en"]) or "en"
    answer = make_response({"de": "Guten Tag", "en": "Good morning"}[language])
    answer.headers.update({"Cache-Control": "max-age=300", "Vary": "Accept-Language", "Content-Language": language})
    return answer
