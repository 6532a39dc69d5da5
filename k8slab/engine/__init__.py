"""The machine under a cluster: its parts put together, and the one way by which anything from outside reaches them."""
