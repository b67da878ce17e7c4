"""What holds for every answer of every conversation."""

from __future__ import annotations

import re

from tests.lanes.messages import Asked, Heard

HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "upgrade", "proxy-authorization", "trailer")

_IMF = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def check_answer(asked: Asked, heard: Heard) -> list[str]:
    """Return which laws an answer breaks."""
    if heard.status == 0:
        return []  # nothing came but the end
    if (heard.fields.get("server") or "").startswith("mitmproxy"):
        return []  # an error page of mitmproxy's own, on which no addon has a say
    fields, problems = heard.fields, []
    # RFC 9110 §7.6.1; ledger META-09
    close = fields.get("connection") == "close"  # what this hop itself has to say
    problems += [f"{name} is of another hop" for name in HOP_BY_HOP if name in fields.without(["connection"] * close)]
    if not _IMF.fullmatch(fields.get("date") or ""):
        problems.append("not one readable Date (META-06)")
    if any("secondhand" in line for line in fields.all("warning")):
        problems.append("a Warning of ours (META-17)")
    status_lines = [line for line in fields.all("cache-status") if line.startswith("secondhand")]
    if "proxy-status" in fields:
        problems += ["Cache-Status on an error of ours (META-14)"] if status_lines else []
        problems += ["an error of ours that could be stored (STATUS-33)"] if heard.status == 203 else []
        return problems
    if len(fields.all("via")) < 1 or not (fields.all("via")[-1].endswith(" secondhand")):
        problems.append("no Via of ours (META-01)")
    if len(status_lines) > 1 or (status_lines and fields.all("cache-status")[-1] != status_lines[0]):
        problems.append("Cache-Status of ours not once and last (META-10)")
    member = status_lines[0] if status_lines else ""
    if "; hit" in member and "; fwd" in member:
        problems.append("a hit that went forward (META-12)")
    if "; hit" in member and not re.fullmatch("[0-9]+", fields.get("age") or ""):
        problems.append("a hit without one readable Age (META-03)")
    if asked.method == "HEAD" and heard.body:
        problems.append("a HEAD with content (HEAD-01)")
    length = fields.get("content-length")
    if asked.method != "HEAD" and heard.status not in (204, 304) and length is not None and not heard.cut:
        problems += [f"Content-Length: {length} (META-18)"] if int(length) != len(heard.body) else []
    return problems
