"""Generate the pages of the documentation that show measured results, and the keys of a config.

``python -m docs.pages measure answers`` runs the configs of a page, and keeps what was measured in
``results/baselines``, as ``make answers`` and ``make published`` do. ``python -m docs.pages write`` writes
the pages from what is kept, and the tables of docs/config.md from the schema of a config. ``python -m
docs.pages site FOLDER`` lays out the site of all pages, as ``make docs`` does.
"""
