"""Run, refresh and check the book."""
