"""The sample app's other functions."""
