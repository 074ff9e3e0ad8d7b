"""What is kept of a run: the journal while it goes on, the document once it is derived."""
