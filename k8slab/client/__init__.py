"""How components talk to the API server, and what every controller is built from."""
