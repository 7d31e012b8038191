"""Quantization: calibration, conversion to int8, the accuracy gate, and packing of one file."""
