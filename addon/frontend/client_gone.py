"""The error for a client that has disconnected."""


class ClientGone(Exception):
    """The client has disconnected."""
