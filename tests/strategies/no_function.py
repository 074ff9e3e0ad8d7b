"""A strategy without ``download_many``."""
