"""Event loops side by side: CPU time per operation. Knows nothing of HTTP servers."""
