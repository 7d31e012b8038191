"""Every error that blastscope raises on purpose, as one tree.

    BlastscopeError                  exit code 2 unless stated otherwise
    ├── FrameError                   an array that is not an RGB uint8 frame
    ├── ImageFileError               a file that cannot be read as an 8-bit colour image
    ├── ModelFileError               not a TFLite model, or not one that blastscope can run
    │   └── SignatureError           a signature that does not hold
    │       ├── UnsignedModelError   there is none
    │       ├── ChangedModelError    the model or the signature was changed since it was signed
    │       ├── UntrustedKeyError    it is by a key that this machine does not trust
    │       └── OlderModelError      the model is older than one that was used before
    ├── KeyFileError                 a file that holds no Ed25519 key, or one that stays locked
    ├── TrustStoreError              a folder of trusted keys that cannot be used
    ├── QualityLimitsError           a file that holds no limits of image quality
    ├── CalibrationError             a calibration frame that is none, or the file that keeps it
    ├── CameraError                  a camera that is absent, silent or gone
    ├── MissingPackageError          a feature whose package is not installed
    ├── OutputError                  a result that cannot be written: it exists, no space, no right
    ├── DatasetError                 a folder that is no image set
    │   └── SplitError               a set that cannot be divided as asked
    │       └── LeakageError         a division with the same thing in several parts
    ├── TrainingError                a training that cannot start or go on
    │   └── InterruptedTrainingError exit code 130: Ctrl-C before there was a model to keep
    └── QuantizationError            a conversion that failed
        └── AccuracyGateError        exit code 1: the int8 model lost too much accuracy

Each message has three parts: the rule, what came instead, and the next step.
"""

from __future__ import annotations


class BlastscopeError(Exception):
    """The root of all errors that blastscope raises on purpose.

    Args:
        rule: what must hold, as one sentence without its full stop.
        got: what came instead; shown after "Got: ".
        next_step: what the reader can do now, as one sentence without its full stop.

    Example:
        >>> print(BlastscopeError("A frame has 3 channels", got="4", next_step="Drop alpha"))
        A frame has 3 channels. Got: 4. Drop alpha.
    """

    exit_code: int = 2

    def __init__(self, rule: str, *, got: object = None, next_step: str | None = None) -> None:
        self.rule = rule
        self.got = got
        self.next_step = next_step
        parts = [rule]
        if got is not None:
            parts.append(f"Got: {got}")
        if next_step is not None:
            parts.append(next_step)
        super().__init__(" ".join(f"{part.rstrip('.')}." for part in parts))


class FrameError(BlastscopeError):
    """An array that is not an RGB uint8 frame."""


class ImageFileError(BlastscopeError):
    """A file that cannot be read as an 8-bit colour image."""


class ModelFileError(BlastscopeError):
    """A file that is not a TFLite model, or not one that blastscope can run."""


class SignatureError(ModelFileError):
    """A model whose signature does not hold on this machine."""


class UnsignedModelError(SignatureError):
    """A model without a signature, where only signed ones are used."""


class ChangedModelError(SignatureError):
    """A model or a signature that was changed after signing."""


class UntrustedKeyError(SignatureError):
    """A model signed by a key that is not in the trust store."""


class OlderModelError(SignatureError):
    """A model with a lower version than one of the same name that was used before."""


class KeyFileError(BlastscopeError):
    """A file that holds no Ed25519 key, or one that its passphrase does not open."""


class TrustStoreError(BlastscopeError):
    """A folder of trusted keys that cannot be used."""


class QualityLimitsError(BlastscopeError):
    """A file that does not hold limits of image quality."""


class CalibrationError(BlastscopeError):
    """A calibration frame that shows no empty place, or a file that keeps none."""


class CameraError(BlastscopeError):
    """A camera that is absent, silent or gone."""


#: The next step where a package of an extra is missing. By folder and not by name: under that
#: name a package index may hold something else.
INSTALL_EXTRAS = "Install them with `pip install '.[train,quantize]'` in blastscope's source folder"


class MissingPackageError(BlastscopeError):
    """A feature whose package is not installed here."""


class OutputError(BlastscopeError):
    """A result that cannot be written."""


class DatasetError(BlastscopeError):
    """A folder that is not a usable image set."""


class SplitError(DatasetError):
    """An image set that cannot be divided as asked."""


class LeakageError(SplitError):
    """A division that has the same subject, image or smear in several parts."""


class TrainingError(BlastscopeError):
    """A training run that cannot start or cannot go on."""


class InterruptedTrainingError(TrainingError):
    """A training run that Ctrl-C ended before there was a model to keep."""

    exit_code = 130


class QuantizationError(BlastscopeError):
    """A model that cannot be converted to int8."""


class AccuracyGateError(QuantizationError):
    """An int8 model that lost more accuracy than its criterion allows."""

    exit_code = 1
