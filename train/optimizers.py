"""What turns gradients into steps, for each recipe."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from train.recipes import Recipe

#: Fewer channels than these, and a kernel is hardly a matrix: the first convolution.
_LEAST_CHANNELS = 8


class MuonOfConvolutions(keras.optimizers.Muon):  # type: ignore[misc]  # Keras is untyped
    """Muon for convolutions: each kernel is taken as a matrix of its output channels.

    Keras's own takes Muon's steps for matrices alone, and Adam's for the four dimensions of a
    kernel. The momentum of a kernel, flattened to (height x width x inputs, outputs), is made
    orthogonal, and scaled so that one learning rate suits both ways (K. Jordan et al., "Muon: An
    optimizer for hidden layers in neural networks", 2024; J. Liu et al., arXiv 2502.16982). All
    else, the first convolution and the scores included, takes Adam's steps.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        shape = variable.shape
        return len(shape) != 4 or min(shape[2], shape[3]) < _LEAST_CHANNELS

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        ahead = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        step = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(step, variable.shape))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Return a matrix made nearly orthogonal, as Keras's own does, with fewer products.

        Each of Newton and Schulz's steps multiplies x by a polynomial of its Gram matrix, so that
        all of them are one factor, as small as the shorter side of x, to multiply x by once. A
        kernel is four to nine times as long as it is wide.

        Args:
            x: float32, shape (height, width).
            steps: how many.

        Returns:
            float32, the same shape.
        """
        if x.shape[0] < x.shape[1]:
            return ops.transpose(self.zeropower_via_newtonschulz5(ops.transpose(x), steps))
        x = x / (ops.norm(x) + 1e-7)
        gram = ops.transpose(x) @ x
        one = ops.eye(x.shape[1], dtype=x.dtype)
        factor = one
        for _ in range(steps):
            step = self.muon_a * one + self.muon_b * gram + self.muon_c * gram @ gram
            factor = factor @ step
            gram = gram @ step @ step
        return x @ factor


def build_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Build a recipe's optimizer; its rate rises for a twentieth of all steps, and then falls.

    Args:
        recipe: says which, and its rates.
        steps: of the whole training; the rate comes down to nothing along a cosine by its end.
    """
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=max(1, steps - steps // 20),
        alpha=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps // 20,
    )
    decay = recipe.weight_decay
    if recipe.optimizer == "muon":
        return MuonOfConvolutions(rate, weight_decay=decay, adam_weight_decay=decay)
    return keras.optimizers.AdamW(rate, weight_decay=decay, clipnorm=1.0)
