"""Reads YAML without running anything that it names."""

from __future__ import annotations

from pathlib import Path

import yaml

from addon.offline.wanted import SourceError

# the parser in C where it was built: the other takes minutes for a large lock file
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def yaml_documents(text: str, file: Path) -> list[dict[str, object]]:
    """Return the tables in the documents of a YAML text. Raises SourceError, with line and column if it is not YAML."""
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}: line {mark.line + 1}, column {mark.column + 1}" if mark else str(file)
        raise SourceError(f"{place}: {error.problem or error.context}, expected YAML") from None
    except (yaml.YAMLError, ValueError) as error:  # a character or a date that does not exist
        raise SourceError(f"{file}: {str(error).splitlines()[0]}, expected YAML") from None
    if not documents or not all(isinstance(each, dict) for each in documents):
        raise SourceError(f"{file}: expected a table of YAML")
    return documents
