"""Serves an application for one host."""

from flask import Flask
from mitmproxy.addons import asgiapp

app = Flask("hosting")


@app.route("/text")
def text() -> str:
    return "from the application"


addons = [asgiapp.WSGIApp(app, "hosted.example", 80)]
