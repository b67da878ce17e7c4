"""The admin listener: HTTP with JSON, a thin face over the control commands, for programs on this machine."""
