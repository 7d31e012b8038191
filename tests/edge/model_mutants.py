"""Damaged and hostile model files, and a child process that tries to load them.

    python -m tests.edge.model_mutants ORIGINAL FIRST COUNT SCRATCH

loads mutants FIRST to FIRST + COUNT - 1 of ORIGINAL under a memory limit, and prints what came of
each as JSON, a line for each.
"""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.classifier import Classifier
from edge.errors import ModelFileError
from edge.model_archive import CARD_NAME, build_archive, split_archive
from edge.model_card import describe_part
from edge.model_file import read_model_file
from edge.verification import verify_model

#: How much a process may take on top of what it has with its libraries loaded.
MEMORY_BYTES = 200 * 2**20

#: The longest that loading may take, in seconds of the process's own time.
LONGEST_S = 2.0

_Files = dict[str, bytes]


def truncate(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def flip_bits(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def overwrite(content: bytes, draw: random.Random) -> bytes:
    """Put extreme numbers where lengths, offsets and counts may be."""
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 4])):
        word = draw.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(content)])
        size = draw.choice(["<I", "<H"])
        packed = struct.pack(size, word & (0xFFFFFFFF if size == "<I" else 0xFFFF))
        # Half of them at the end, where the archive's directory is.
        span = len(changed) - len(packed)
        place = draw.randrange(span) if draw.random() < 0.5 else draw.randrange(span - 600, span)
        changed[place : place + len(packed)] = packed
    return bytes(changed)


def move_bytes(content: bytes, draw: random.Random) -> bytes:
    first, second = sorted(draw.randrange(len(content)) for _ in range(2))
    piece = content[first:second]
    rest = content[:first] + content[second:]
    place = draw.randrange(len(rest) + 1)
    return draw.choice(
        [rest, content + piece, piece + content, rest[:place] + piece + rest[place:]]
    )


def _with_files(change: Callable[[_Files, random.Random], None]) -> Any:
    """Return a mutation of the packed files; the archive around them is made anew."""

    def mutate(content: bytes, draw: random.Random) -> bytes:
        archive = split_archive(Path("original"), content)
        graph, files = content[: archive.start], dict(archive.members)
        change(files, draw)
        if draw.random() < 0.5:
            return graph + build_archive(len(graph), files)
        # As another program would pack them: compressed, or with names as given.
        packed = io.BytesIO(graph)
        packed.seek(0, io.SEEK_END)
        method = draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with warnings.catch_warnings(), zipfile.ZipFile(packed, "a", method) as out:
            warnings.simplefilter("ignore")
            out.comment = draw.choice([b"", b"", b"x" * draw.randrange(1, 65535)])
            for name, data in files.items():
                for _ in range(draw.choice([1, 1, 1, 2])):
                    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                    out.writestr(entry, data, method, 1)
        return packed.getvalue()

    mutate.__name__ = change.__name__.strip("_")
    return mutate


def _swap_entries(files: _Files, draw: random.Random) -> None:
    first, second = draw.sample(list(files), 2)
    if draw.random() < 0.5:
        files[first], files[second] = files[second], files[first]
        return
    names = list(files)
    draw.shuffle(names)
    for name in names:
        files[name] = files.pop(name)


def _add_bomb(files: _Files, draw: random.Random) -> None:
    files[draw.choice([*files, "golden/4.png", "bomb"])] = bytes(draw.choice([2 * 10**6, 10**7]))


def _add_escape(files: _Files, draw: random.Random) -> None:
    name = draw.choice(
        [
            *(
                "../x",
                "../../../etc/cron.d/x",
                "/etc/passwd",
                "golden/../../x",
                "C:\\x",
                "\\\\h\\x",
            ),
            *("golden/", "golden/-1.png", "golden/4.PNG", "blastscope.json/x", "Blastscope.json"),
            *("labels.txt ", "labels.txt\x7f", "x" * 60_000, "é.png", "golden/٤.png", " "),
        ]
    )
    if draw.random() < 0.5:
        files[name] = b"x"
    else:
        victim = draw.choice(list(files))
        files[name] = files.pop(victim)


def _add_many(files: _Files, draw: random.Random) -> None:
    for number in range(draw.choice([20, 100, 1000])):
        files[draw.choice(["golden/{}.png", "f{}"]).format(number)] = b""


#: Giants, and things of other types than a field takes.
_EXTREMES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2, 1.5, 2**31, 10**400, 1e308),
    *("", "x", "x" * 900_000, "\ud800", "\0", [], {}, [[]] * 100_000, ["a"] * 100_000),
    {str(number): number for number in range(50_000)},
)


def _edit_card(files: _Files, draw: random.Random) -> None:
    card = json.loads(files[CARD_NAME])
    place: Any = card
    while True:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or draw.random() < 0.3:
            break
        place = place[key]
    place[key] = draw.choice(_EXTREMES)
    files[CARD_NAME] = json.dumps(card).encode()


def _break_card(files: _Files, draw: random.Random) -> None:
    files[CARD_NAME] = draw.choice(
        [
            *(b"", b"{", b"null", b"[" * 500_000, b'{"a":' * 100_000, b"\xff" * 1000),
            *(b'"' + b"\\u0000" * 100_000 + b'"', b"9" * 1_000_000, b"1e" + b"9" * 1000),
            *(
                b"[" + b"[]," * 300_000 + b"[]]",
                b'{"format": 2}',
                b'{"format": 3}',
                b"\xef\xbb\xbf{}",
            ),
        ]
    )


def _lie_about_part(files: _Files, draw: random.Random) -> None:
    """Change a part and make its hash fit: what is left is for the checks behind the hashes."""
    card = json.loads(files[CARD_NAME])
    name = draw.choice([one for one in files if one != CARD_NAME])
    data = bytearray(files[name])
    place = draw.randrange(len(data))
    data[place : place + draw.choice([1, 4])] = draw.randbytes(draw.choice([1, 4]))
    files[name] = bytes(data)
    card["members"][name] = describe_part(files[name])
    files[CARD_NAME] = json.dumps(card).encode()


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncate,
    flip_bits,
    overwrite,
    move_bytes,
    *map(
        _with_files,
        (
            _swap_entries,
            _add_bomb,
            _add_escape,
            _add_many,
            _edit_card,
            _break_card,
            _lie_about_part,
        ),
    ),
)


def make_mutant(content: bytes, number: int) -> tuple[str, bytes]:
    """Return the mutation's name and the mutant; the same for the same number."""
    draw = random.Random(number)
    mutation = MUTATIONS[number % len(MUTATIONS)]
    return mutation.__name__, mutation(content, draw)


def load(path: Path, original: Path) -> str:
    """Load a mutant and say what came of it: "refused", "same", or what is not as it should be."""
    try:
        with Classifier.load(path, 1) as classifier:
            model = classifier.model
    except ModelFileError as error:
        return "refused" if error.got is not None and error.next_step else f"says little: {error}"
    expected = read_model_file(original)
    if (model.labels, model.card) != (expected.labels, expected.card):
        # Another model with hashes that fit; only its golden frames or a signature can tell.
        changed = [name for name in expected.card if model.card.get(name) != expected.card[name]]
        return f"another: {', '.join(changed)}"
    failed = [one for one in verify_model(path) if one.state == "failed"]
    return "same" if not failed else f"same card, and yet: {failed}"


def main() -> None:
    original, first, count, scratch = sys.argv[1:]
    content, path = Path(original).read_bytes(), Path(scratch) / f"mutant-{first}.tflite"
    # Everything that loading brings in lies before the limit.
    verify_model(Path(original))
    with Path("/proc/self/statm").open() as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    for number in range(int(first), int(first) + int(count)):
        name, mutant = make_mutant(content, number)
        path.write_bytes(mutant)
        del mutant
        # What stays in use from earlier mutants is this process's own, and counts against it.
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, resource.RLIM_INFINITY))
        started = time.process_time()
        try:
            outcome = load(path, Path(original))
        except BaseException as error:
            outcome = f"raised {type(error).__name__}: {error}"[:300]
        spent = time.process_time() - started
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        sys.stdout.write(json.dumps([number, name, outcome, spent]) + "\n")
        sys.stdout.flush()
    path.unlink()


if __name__ == "__main__":
    main()
