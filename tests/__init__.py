"""Tests, and the stubs they share."""
