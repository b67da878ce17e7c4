"""Metrics: counts, gauges and histograms of this process, and their text for Prometheus."""
