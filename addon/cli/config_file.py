"""`secondhand config schema|init|path`: the form of a settings file, a new one, and the files that are read."""

from __future__ import annotations
