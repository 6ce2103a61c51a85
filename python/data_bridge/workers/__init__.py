"""Processes that serve one app: a master that never imports it, and workers that do.

``orders`` is what a master tells a worker, ``duty`` what a worker tells its master, ``process`` a worker as its master
sees it; ``supervisor`` keeps several at work, ``reloader`` one that follows the files.
"""
