"""The access log: one line for each response, in a format of the operator's choice."""
