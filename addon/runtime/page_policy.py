"""The Content-Security-Policy of pages that are one file of HTML."""

from __future__ import annotations

import base64
import hashlib


def page_policy(style: str, *more: str) -> str:
    """Return the policy of a page that may use this style, which is part of it, and nothing else.

    `more` are further directives.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own = ("default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'", "form-action 'none'")
    return "; ".join((*own, *more))
