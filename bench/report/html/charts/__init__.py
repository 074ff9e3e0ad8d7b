"""The charts of a report, a file for each group of them; ``bench.report.html.registry`` lists them."""
