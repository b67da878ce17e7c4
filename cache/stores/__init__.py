"""Where stored responses live: one protocol, several stores."""
