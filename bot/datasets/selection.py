"""Which verdicts become the dataset: each picture once, in the order handed over, no more than a dataset holds."""

from dataclasses import dataclass, field, replace

from bot.datasets.captions.pairing import Candidate
from bot.datasets.report import LeftOut, PreparedImage, shown_name, top_reasons
from bot.errors import DatasetRejected


class NothingUsable(DatasetRejected):
    """Everything was read, and nothing of it is a picture that can be learnt from."""

    def __init__(self, sentence: str, *, left_out: tuple[LeftOut, ...]) -> None:
        super().__init__(sentence)
        self.left_out = left_out


@dataclass(kw_only=True)
class Selection:
    """Filled while pictures are being prepared, in the order they were handed over."""

    most: int
    left_out: list[LeftOut]
    _images: dict[str, PreparedImage] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return len(self._images) >= self.most

    @property
    def images(self) -> tuple[PreparedImage, ...]:
        return tuple(self._images.values())

    def judge(self, candidate: Candidate, verdict: PreparedImage | LeftOut) -> None:
        if isinstance(verdict, LeftOut):
            self.left_out.append(verdict)
            return
        if twin := self._images.get(verdict.sha256):
            self.left_out.append(LeftOut(name=verdict.name, reason=f"is the same picture as “{twin.name}”"))
            if candidate.caption and not twin.caption:  # whoever described the copy described the picture
                self._images[twin.sha256] = replace(twin, caption=candidate.caption)
            return
        if self.is_full:
            self.leave_out_as_surplus(candidate)
            return
        self._images[verdict.sha256] = replace(verdict, caption=candidate.caption)

    def leave_out_as_surplus(self, candidate: Candidate) -> None:
        reason = f"is beyond the {self.most:,} pictures a dataset holds"
        self.left_out.append(LeftOut(name=shown_name(candidate.stored.name), reason=reason))

    def refuse_if_empty(self) -> None:
        if not self._images:
            reasons = top_reasons(tuple(self.left_out)) or "there are only texts"
            raise NothingUsable(f"No picture can be used: {reasons}.", left_out=tuple(self.left_out))
