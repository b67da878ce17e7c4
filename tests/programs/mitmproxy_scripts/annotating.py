"""Counts flows, and marks and comments each of them."""

import logging

from mitmproxy import http, log

flows = 0


def load(_: object) -> None:
    logging.log(log.ALERT, "the script is loaded")


def request(flow: http.HTTPFlow) -> None:
    global flows
    flows += 1
    flow.comment = f"flow {flows}"
    flow.marked = ":red_circle:"
    flow.metadata["number"] = flows


def response(flow: http.HTTPFlow) -> None:
    logging.info("%s was answered", flow.comment)
