"""How often a JPEG goes over its pixels: each scan is a pass over all, and a few bytes suffice to ask for one."""

import re

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # the others are data, fillers, or marks without a length


def scans_of(jpeg: bytes) -> int:
    """As a decoder meets them, from one segment to the next up to the end of the picture: what looks like a scan in a
    preview, or in the video that telephones put behind it, is none."""
    at = scans = 0
    while (found := _SEGMENT.search(jpeg, at)) and found[0] != _END:
        scans += found[0] == _SCAN
        at = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2])
    return scans
