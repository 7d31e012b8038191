"""blastscope sign."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import MODEL, PATH, json_option, print_json


@click.command(
    "sign",
    epilog="""\b
Examples:
  blastscope sign model.tflite --key station.pem
  blastscope sign model.tflite --key station.pem --overwrite --json""",
)
@click.argument("model", type=MODEL)
@click.option("--key", type=PATH, required=True, help="Private key; see `blastscope keys new`.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier signature.")
@json_option
def command(model: Path, key: Path, overwrite: bool, as_json: bool) -> None:
    """Sign a model file: writes MODEL.sig, which goes wherever the model goes.

    The signature covers every byte of the file and the model's version. A machine with a trust
    store uses no model without one.
    """
    from edge.cli.trust_options import ask_passphrase
    from edge.signature import sign_model, signature_path

    signed, signature = sign_model(model, key, ask_passphrase, overwrite=overwrite)
    path = signature_path(model)
    if as_json:
        print_json(
            {
                "signature": str(path),
                "model": signed.model_id,
                "model_version": signature.model_version,
                "key_id": signature.key_id,
            }
        )
    else:
        click.echo(
            f"Signature: {path} ({signed.model_id}, version {signature.model_version}, "
            f"key {signature.key_id[:16]})"
        )
