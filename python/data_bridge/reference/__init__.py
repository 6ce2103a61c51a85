"""T3: the full semantics in plain Python, for what the compiled plan does not understand and for foreign servers."""
