"""What the chapters import: settings, data, from-scratch code, Keras models, claims, checks and plots."""
