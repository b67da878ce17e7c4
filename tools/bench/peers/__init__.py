"""Who is measured. A new peer is a module here with its `Peer`, its configuration, and its name in lines.py."""
