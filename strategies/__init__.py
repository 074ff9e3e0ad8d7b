"""Ways of making many downloads at once, one a file; each offers ``download_many(job)``."""
