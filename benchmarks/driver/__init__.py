"""Starts servers, loads them, reads what they cost. Knows nothing of any framework: peers and scenarios are data."""
