"""Rules that every response of every conversation must keep."""

from __future__ import annotations

import re

from tests.lanes.messages import ClientRequest, ClientResponse

HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "upgrade", "proxy-authorization", "trailer")

_IMF = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def broken_invariants(request: ClientRequest, response: ClientResponse) -> list[str]:
    """Return a sentence for each rule that a response breaks."""
    if response.status == 0:
        return []  # the connection ended before a response
    if (response.fields.get("server") or "").startswith("mitmproxy"):
        return []  # an error page of mitmproxy itself, which addons cannot change
    fields, problems = response.fields, []
    # RFC 9110 §7.6.1; ledger META-09
    close = fields.get("connection") == "close"  # a field of this hop
    problems += [f"{name} is of another hop" for name in HOP_BY_HOP if name in fields.without(["connection"] * close)]
    if not _IMF.fullmatch(fields.get("date") or ""):
        problems.append("not exactly one valid Date (META-06)")
    if any("secondhand" in line for line in fields.all("warning")):
        problems.append("a Warning of this proxy (META-17)")
    status_lines = [line for line in fields.all("cache-status") if line.startswith("secondhand")]
    if "proxy-status" in fields:
        problems += ["Cache-Status on an error of this proxy (META-14)"] if status_lines else []
        problems += ["an error of this proxy with status 203 (STATUS-33)"] if response.status == 203 else []
        return problems
    if len(fields.all("via")) < 1 or not (fields.all("via")[-1].endswith(" secondhand")):
        problems.append("no Via of this proxy (META-01)")
    if len(status_lines) > 1 or (status_lines and fields.all("cache-status")[-1] != status_lines[0]):
        problems.append("more than one Cache-Status of this proxy, or not the last one (META-10)")
    member = status_lines[0] if status_lines else ""
    if "; hit" in member and "; fwd" in member:
        problems.append("a hit that was forwarded (META-12)")
    if "; hit" in member and not re.fullmatch("[0-9]+", fields.get("age") or ""):
        problems.append("a hit without exactly one valid Age (META-03)")
    if request.method == "HEAD" and response.body:
        problems.append("a response to HEAD with content (HEAD-01)")
    length = fields.get("content-length")
    if request.method != "HEAD" and response.status not in (204, 304) and length is not None and not response.cut:
        problems += [f"Content-Length: {length} (META-18)"] if int(length) != len(response.body) else []
    return problems
