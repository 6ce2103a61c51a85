"""JSON libraries side by side: the documents, the libraries, the timing."""
