"""Files with names and passwords, as `htpasswd -B` writes them: one `name:hash` in each line."""

from __future__ import annotations

import re

from addon.config.user_folders import expanded

_LINE = re.compile(rb"([^:\x00-\x1f\x7f]+):(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53})")


def read_users(file: str) -> dict[bytes, bytes]:
    """Return the bcrypt hashes of passwords by user name. Raises ValueError, whose text names the expected value."""
    try:
        lines = expanded(file).read_bytes().splitlines()
    except OSError as error:
        raise ValueError(f"a file that can be read ({error.strerror})") from None
    users: dict[bytes, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(
                f'lines like "name:$2y$..." in this file, as "htpasswd -B" writes them; line {number} is not'
            )
        users[match[1]] = match[2]
    if not users:
        raise ValueError('a file with at least one user, as "htpasswd -B" writes it')
    return users
