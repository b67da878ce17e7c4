"""Time series: counts of responses, bytes and saved time by minute, 5 minutes and hour, kept beside the store."""
