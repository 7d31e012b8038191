"""blastscope keys."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import PATH, json_option, note, print_json
from edge.cli.trust_options import trust_option
from edge.errors import TrustStoreError


@click.group(
    "keys",
    epilog="""\b
Examples:
  blastscope keys new station.pem
  blastscope keys trust station.pub.pem --trust keys
  blastscope keys list --trust keys""",
)
def command() -> None:
    """Make keys to sign models with, and say whose models this machine trusts.

    Each takes --json for machines.
    """


@command.command(
    "new",
    short_help="Make a key pair.",
    epilog="""\b
Examples:
  blastscope keys new station.pem
  blastscope keys new station.pem --passphrase""",
)
@click.argument("key", type=PATH)
@click.option("--passphrase", is_flag=True, help="Ask for a passphrase that locks the key.")
@json_option
def new(key: Path, passphrase: bool, as_json: bool) -> None:
    """Make an Ed25519 key pair: KEY.pem, for its owner alone, and KEY.pub.pem, for everyone."""
    from edge.key_files import write_new_key

    secret = None
    if passphrase:
        text = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
        secret = str(text).encode()
    public, name = write_new_key(key, secret)
    if as_json:
        print_json({"private": str(key), "public": str(public), "fingerprint": name})
        return
    click.echo(f"Private key: {key} (readable by you alone; never copy it to a station)")
    click.echo(f"Public key:  {public}\nFingerprint: {name}")
    note(f"Next: blastscope sign MODEL --key {key}")


@command.command(
    "list",
    short_help="Show a trust store.",
    epilog="""\b
Examples:
  blastscope keys list
  blastscope keys list --trust keys --json""",
)
@trust_option
@json_option
def list_keys(trust: Path | None, as_json: bool) -> None:
    """Show the keys that are trusted here, and the newest version used of each model."""
    from edge.trust import TrustStore, configured_trust_store

    store = configured_trust_store() if trust is None else TrustStore(trust)
    if store is None:
        if as_json:
            print_json({"trust_store": None, "keys": {}, "newest_versions": {}}, indent=2)
        else:
            click.echo("No trust store: models are used without a signature.")
        return
    keys = {name: str(path) for name, (path, _) in store.keys().items()}
    newest = store.newest_versions()
    if as_json:
        print_json(
            {"trust_store": str(store.folder), "keys": keys, "newest_versions": newest}, indent=2
        )
        return
    click.echo(f"Trust store: {store.folder}")
    for name, path in keys.items():
        click.echo(f"{name}  {path}")
    if not keys:
        click.echo("No key: every model is refused. Add one with `blastscope keys trust`.")
    for model, version in newest.items():
        click.echo(f"{model}: version {version} was used; older ones are refused")


@command.command(
    "trust",
    short_help="Trust a key.",
    epilog="""\b
Examples:
  blastscope keys trust station.pub.pem --trust keys
  sudo blastscope keys trust station.pub.pem --trust /etc/blastscope/trust""",
)
@click.argument("public", type=PATH)
@trust_option
@json_option
def trust_key(public: Path, trust: Path | None, as_json: bool) -> None:
    """Add a public key to the trust store: models signed by it are used from now on.

    The folder is made if it is not there. From then on, models without a signature are refused
    where this trust store is in use. Compare the fingerprint with the one that the key's owner
    tells you.
    """
    from edge.key_files import read_public_key
    from edge.trust import configured_folder, make_trust_store

    folder = trust or configured_folder()
    if folder is None:
        raise TrustStoreError(
            "A key is added to a trust store",
            got="none configured",
            next_step="Name its folder with --trust, or with BLASTSCOPE_TRUST",
        )
    read_public_key(public)
    path, name = make_trust_store(folder).add(public)
    if as_json:
        print_json({"trusted": str(path), "fingerprint": name})
    else:
        click.echo(f"Trusted:     {path}\nFingerprint: {name}")
