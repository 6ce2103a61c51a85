"""What data_bridge costs beside its peers: `python benchmarks/http.py`, `… loops.py`, `… render.py`."""
