"""The set-up page of a forward proxy: its CA certificate, and how to make systems and programs trust and use it."""
