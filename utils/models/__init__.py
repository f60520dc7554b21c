"""The book's architectures in Keras 3, at working size."""
