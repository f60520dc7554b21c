"""Side-by-side timings of the NumPy code, its naive loops and Keras; printed and stored, never asserted."""
