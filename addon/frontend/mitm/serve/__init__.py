"""`secondhand serve` with mitmproxy's listener: strict connections, scripts, modes, start and stop."""
