"""Reports as single HTML files, with their pictures inside."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import jinja2

from edge.output import whole_file


def write_html(path: Path, package: str, template: str, **values: Any) -> None:
    """Write a page in one step.

    Args:
        path: the HTML file.
        package: the import package whose folder `pages` holds the template, which extends
            `train/pages/base.html`.
        template: its name.
        values: what it shows; text is escaped.

    Raises:
        OutputError: the page cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package, "pages"), jinja2.PackageLoader("train", "pages")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(**values)
    with whole_file(path) as temporary:
        # A file's name may hold bytes that are no text.
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")


def data_uri(picture: bytes, kind: str = "png") -> str:
    """Return a picture as an address that holds it.

    Args:
        picture: the encoded picture.
        kind: "png" or "jpeg".
    """
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
