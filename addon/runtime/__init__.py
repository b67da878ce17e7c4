"""What a running process needs: clock, event loop, counters, access log, control socket."""
