"""The HTTP cache: rules that are pure functions (everything but `stores`), and the stores that keep responses."""
