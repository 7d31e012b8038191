"""Commands that quantize, pack and demonstrate."""
