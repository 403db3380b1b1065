"""How fast the client is, and how few turns it needs, beside four others. Run by `scripts/bench`."""
