"""Which pictures go into which message, so that Discord takes every one of them. Pure: numbers in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

FILES_PER_MESSAGE = 10
BYTES_PER_MESSAGE = 24 << 20  # Discord's 25 MiB are for the whole request: this leaves room for its text
LEFT_PER_MESSAGE = 5  # each may be told with a long link


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A picture by its position; `size_bytes` is None when it cannot be attached at all."""

    position: int
    size_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One message: what it carries, and what it only speaks of."""

    attached: tuple[int, ...] = ()
    left: tuple[int, ...] = ()

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(sorted((*self.attached, *self.left)))


def plan(pictures: Sequence[Sized], *, bytes_per_file: int) -> list[Planned]:
    """Every picture is in exactly one message, in order; a file that is too large is spoken of instead."""
    messages: list[Planned] = []
    room = 0
    for picture in pictures:
        last = messages[-1] if messages else None
        size = picture.size_bytes
        if size is None or size > min(bytes_per_file, BYTES_PER_MESSAGE):
            if last is None or len(last.left) >= LEFT_PER_MESSAGE:
                messages.append(last := Planned())
                room = BYTES_PER_MESSAGE
            messages[-1] = Planned(attached=last.attached, left=(*last.left, picture.position))
            continue
        if last is None or size > room or len(last.attached) >= FILES_PER_MESSAGE:
            messages.append(last := Planned())
            room = BYTES_PER_MESSAGE
        room -= size
        messages[-1] = Planned(attached=(*last.attached, picture.position), left=last.left)
    return messages
