"""What `mitmdump -s` and `mitmweb -s` load: `addons`, and nothing else."""

from addon.embedded import Embedded

addons = [Embedded()]
