"""Policies behind an HTTP interface: the client, its replies, what they cost; no torch."""
