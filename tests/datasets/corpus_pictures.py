"""One file of every kind people take for a picture: what is read, and what is said about the rest."""

from collections.abc import Callable

from tests.dataset_files import encoded, jpeg_bytes, photo, png_bytes
from tests.datasets.cases import Case, zipped
from tests.datasets.hostile_files import a_picture, one_picture_zip, png_claiming, progressive_with_scans
from tests.datasets.phone_files import heic_bytes, live_photo_clip

READS = {
    "JPEG": lambda: a_picture(9),
    "progressive JPEG": lambda: jpeg_bytes(photo(9), progressive=True),
    "PNG": lambda: png_bytes(photo(9)),
    "GIF": lambda: encoded(photo(9), "GIF"),
    "BMP": lambda: encoded(photo(9), "BMP"),
    "TIFF": lambda: encoded(photo(9), "TIFF"),
    "TIFF of two pages": lambda: encoded(photo(9), "TIFF", save_all=True, append_images=[photo(2)]),
    "WebP": lambda: encoded(photo(9), "WEBP"),
    "animated WebP": lambda: encoded(photo(9), "WEBP", save_all=True, append_images=[photo(2)]),
    "animated PNG": lambda: png_bytes(photo(9), save_all=True, append_images=[photo(2)]),
    "AVIF": lambda: encoded(photo(9), "AVIF"),
    "HEIC": lambda: heic_bytes(photo(9)),
    "MPO": lambda: encoded(photo(9), "MPO", save_all=True, append_images=[photo(2)]),
    "CMYK JPEG": lambda: jpeg_bytes(photo(9).convert("CMYK")),
}
OTHER = "is a kind of picture this bot does not read: save it as JPEG or PNG"
RAW = "is a camera's RAW file: export it as JPEG"
LAYERED = "is a drawing program's own file: export it as PNG"
VECTORS = "is a drawing in vectors: export it as PNG"
ARCHIVE = "is an archive: unpack it first"
VIDEO = "is a video: take a still from it"
CUT_OFF, DAMAGED = "is cut off: save it again", "is damaged: save it again"
TAKEN_FOR_ONE = {
    "clip.mp4": (lambda: b"\0\0\0\x18ftypmp42" + bytes(300), VIDEO),
    "IMG_1.MOV": (live_photo_clip, VIDEO),
    "clip.webm": (lambda: b"\x1a\x45\xdf\xa3" + bytes(300), VIDEO),
    "clip.avi": (lambda: b"RIFF\0\0\0\0AVI LIST" + bytes(300), VIDEO),
    "song.m4a": (lambda: b"\0\0\0\x18ftypM4A " + bytes(300), "is not a picture"),
    "book.pdf": (lambda: b"%PDF-1.7 and so on", "is a PDF: save its pictures as JPEG or PNG"),
    "raw.nef": (lambda: encoded(photo(9), "TIFF"), RAW),
    "raw.cr2": (lambda: b"II*\0\x10\0\0\0CR\x02\0" + bytes(300), RAW),
    "raw.cr3": (lambda: b"\0\0\0\x18ftypcrx " + bytes(300), RAW),
    "raw.raf": (lambda: b"FUJIFILMCCD-RAW 0201" + bytes(300), RAW),
    "layers.psd": (lambda: b"8BPS\0\x01" + bytes(300), LAYERED),
    "layers.xcf": (lambda: b"gimp xcf v011" + bytes(300), LAYERED),
    "drawing.svg": (lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', VECTORS),
    "drawing.eps": (lambda: encoded(photo(9), "EPS"), VECTORS),
    "page.html": (lambda: b"<!doctype html><p>cats", "is not a picture"),
    "a.jxl": (lambda: b"\xff\x0a" + bytes(300), OTHER),
    "a.jp2": (lambda: encoded(photo(9), "JPEG2000"), OTHER),
    "a.ppm": (lambda: encoded(photo(9), "PPM"), OTHER),
    "a.ico": (lambda: encoded(photo(9, (256, 256)), "ICO"), OTHER),
    "a.tga": (lambda: encoded(photo(9), "TGA"), "is not a picture"),
    "a.tar": (lambda: bytes(257) + b"ustar" + bytes(300), ARCHIVE),
    "a.tar.gz": (lambda: b"\x1f\x8b\x08" + bytes(300), ARCHIVE),
    "a.cab": (lambda: b"MSCF" + bytes(300), ARCHIVE),
    "half.jpg": (lambda: a_picture(9)[:9000], CUT_OFF),
    "half.png": (lambda: png_bytes(photo(9))[:-900], CUT_OFF),
    "half.heic": (lambda: heic_bytes(photo(9))[:900], DAMAGED),
    "wrong.png": (lambda: png_bytes(photo(9)).replace(b"IDAT", b"IDAT\xff", 1), DAMAGED),
    "small.png": (lambda: png_bytes(photo(9, (300, 200))), "is 300 × 200 pixels; both sides need at least 256"),
    "ribbon.png": (lambda: png_bytes(photo(9, (4000, 300))), "is too long and narrow at 4000 × 300 pixels: crop it"),
    "sixty.png": (lambda: png_claiming(10_000, 6_000), "has 60 megapixels; at most 50 fit"),
    "layered.jpg": (lambda: progressive_with_scans(400), "is a JPEG in too many layers: save it again"),
    "both.jpg": (
        lambda: a_picture(9) + one_picture_zip(),
        "is a picture with a zip stuck to it: save the picture by itself",
    ),
}


def read(make: Callable[[], bytes]) -> Case:
    return zipped(lambda: {"a.jpg": a_picture(), "b": make()}, "a.jpg", "b")


def left_out(name: str, make: Callable[[], bytes], reason: str) -> Case:
    return zipped(lambda: {"a.jpg": a_picture(), name: make()}, "a.jpg", out={name: reason})


PICTURES = {
    **{f"{kind} among pictures": read(make) for kind, make in READS.items()},
    **{f"{name} among pictures": left_out(name, make, reason) for name, (make, reason) in TAKEN_FOR_ONE.items()},
}
