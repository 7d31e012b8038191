"""What a model's accuracy is worth once images are degraded, recoloured or lose their scale bar.

Everything here alters images that are already at the network's input size, as
`train.image_set.read_image_set` holds them, so "pixels" are pixels of that input.
"""
