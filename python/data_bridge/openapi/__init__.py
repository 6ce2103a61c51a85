"""OpenAPI 3.1: the description of an app's routes, and the pages that show it."""
