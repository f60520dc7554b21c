"""The formulas of the book in NumPy alone, forward and backward.

Arrays are NHWC, as in Keras: (batch, height, width, channels). Every function computes in the dtype of its inputs.
A backward function takes ``dy``, the gradient of a scalar loss with respect to the output, and returns the gradients
with respect to the inputs, in the order in which the forward function takes them.
"""
