"""Services of a running proxy process: clock, event loop, counters, access log, control socket."""
