"""Generate the pages of the documentation that show measured results.

``python -m docs.pages measure answers`` runs the configs of a page, and keeps what was measured in
``results/baselines``; ``python -m docs.pages write`` writes the pages from what is kept. Both are read by
``make answers`` and ``make published``.
"""
