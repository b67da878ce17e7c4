"""CONNECT tunnels: TLS is terminated here, or bytes pass through."""
