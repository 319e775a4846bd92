"""How often a JPEG goes over its pixels: each scan is a pass over all, and a few bytes suffice to ask for one."""

import re

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_MOST_SEGMENTS = 20_000  # a colour profile and a preview come in some dozens
_SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # the others are data, fillers, or marks without a length


def scans_of(jpeg: bytes, *, most: int) -> int:
    """As a decoder meets them, from one segment to the next up to the end of the picture: what looks like a scan in a
    preview, or in the video that telephones put behind it, is none. `most` stands for more, and for a file of so many
    other segments that nobody can have meant it.
    """
    at = scans = segments = 0
    while (found := _SEGMENT.search(jpeg, at)) and found[0] != _END:
        scans, segments = scans + (found[0] == _SCAN), segments + 1
        if scans >= most or segments >= _MOST_SEGMENTS:
            return most
        at = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2])
    return scans
