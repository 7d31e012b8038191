"""Limits of image quality, fitted on one half of an image set and measured on the other."""
