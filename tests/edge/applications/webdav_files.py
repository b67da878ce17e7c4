"""A WebDAV server for the files of a folder, on cheroot, as `python webdav_files.py FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

from cheroot import wsgi
from werkzeug.middleware.proxy_fix import ProxyFix
from wsgidav.wsgidav_app import WsgiDAVApp

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])

if __name__ == "__main__":
    (files := FOLDER / "files").mkdir()
    settings = {
        "provider_mapping": {"/": str(files)},
        "simple_dc": {"user_mapping": {"*": {"ann": {"password": "ann's password"}, "bob": {"password": "bob's"}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "lock_storage": True,
        "property_manager": True,
        "logging": {"enable": False},
    }
    # the scheme of Destination must be that of the request
    application = ProxyFix(WsgiDAVApp(settings), x_proto=1, x_host=1)
    wsgi.Server(("127.0.0.1", PORT), application).start()
