"""Several processes that serve clients on the same sockets, and the supervisor that starts and ends them."""
