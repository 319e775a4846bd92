"""How much of an untrusted upload is read before it is refused; every number may be set lower per server."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class DatasetLimits:
    """Bounds on what is handed over. The defaults suit a small machine that prepares a few datasets at once."""

    max_upload_bytes: int = 2048 * MEBIBYTE  # everything handed over at once, as it arrived
    max_entries: int = 2000  # files named by a zip, whatever they are
    max_entry_bytes: int = 64 * MEBIBYTE  # one file, unpacked; an uncompressed picture of 20 megapixels still fits
    max_total_bytes: int = 2048 * MEBIBYTE  # all files of a zip together, unpacked
    max_compression_ratio: float = 100  # unpacked over packed, for files above one mebibyte and for the whole zip
    max_pixels: int = 50_000_000  # one picture, judged before decoding; 50 take about 400 MiB of memory
    min_side: int = 256  # the shorter side, below which a training learns blur
    long_side: int = 1536  # the longer side of a prepared picture; trainers shrink beyond this themselves
    max_images: int = 400  # prepared pictures in one dataset, whatever a provider would take
