"""What kind of file a picture or voice message is, told by its first bytes: labels can be wrong, or meant to mislead."""

from __future__ import annotations

# Larger than any picture or voice message the platform takes (10 MB).
LARGEST = 12 * 1024 * 1024
_HEADS = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
)


def kind_of(content: bytes) -> str:
    """The content type, empty for anything that is no picture, sound or film we know."""
    return next((kind for start, head, kind in _HEADS if content[start : start + len(head)] == head), "")
