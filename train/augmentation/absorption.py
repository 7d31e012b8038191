"""Random stain, exposure and white balance: all that is linear in optical density."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

#: Optical densities of haematoxylin, eosin and DAB in R, G and B, a row each, of unit length.
#: Ruifrok & Johnston, "Quantification of histochemical staining by color deconvolution",
#: Analytical and Quantitative Cytology and Histology 23 (2001). Of a Romanowsky stain the azure
#: dyes take the place of haematoxylin; what matters here is a basis near the stains.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], dtype=np.float32)
STAINS /= np.linalg.norm(STAINS, axis=1, keepdims=True)


class RandomAbsorption(keras.layers.Layer):
    """Change stains, lamp and camera gains, as another laboratory would have them.

    By the Beer-Lambert law the amount of a stain is proportional to the optical density
    D = -log(I / I0), so that all of these are one affine map of D, which is drawn per image:

    - `stain`: the amount of each of three stains is multiplied by 1 +- stain (the HED jitter of
      Tellez et al., "Quantifying the effects of data augmentation and stain color normalization in
      convolutional neural networks for computational pathology", Medical Image Analysis 58, 2019);
    - `channel`: the density of each colour channel is multiplied by 1 +- channel;
    - `exposure`: D is shifted by +- exposure, the same for all channels;
    - `white_balance`: D of each channel is shifted by +- white_balance.

    Zero turns a part off. Input: float or uint8 images, shape (batch, height, width, 3), RGB,
    values 0..255. Output: float32 images of the same shape and range.
    """

    def __init__(
        self,
        stain: float = 0.0,
        channel: float = 0.0,
        exposure: float = 0.0,
        white_balance: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(dtype="float32")
        self.stain = stain
        self.channel = channel
        self.exposure = exposure
        self.white_balance = white_balance
        self._generator = keras.random.SeedGenerator(seed)

    def _draw(self, shape: tuple[Any, ...], strength: float) -> Any:
        return keras.random.uniform(shape, -strength, strength, seed=self._generator)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images under other stains, exposure and gains while training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        n = ops.shape(images)[0]
        density = -ops.log((images + 1.0) / 256.0)
        if self.stain:
            # density (row vector) -> amounts -> other amounts -> density
            amounts = 1.0 + self._draw((n, 3, 1), self.stain)
            mix = ops.matmul(np.linalg.inv(STAINS), amounts * STAINS)
            if self.channel:
                mix = mix * (1.0 + self._draw((n, 1, 3), self.channel))
            flat = ops.reshape(density, (n, -1, 3))
            density = ops.reshape(ops.matmul(flat, mix), ops.shape(images))
        elif self.channel:
            density = density * (1.0 + self._draw((n, 1, 1, 3), self.channel))
        offset = self._draw((n, 1, 1, 1), self.exposure)
        offset = offset + self._draw((n, 1, 1, 3), self.white_balance)
        return ops.clip(256.0 * ops.exp(-(density + offset)) - 1.0, 0.0, 255.0)
