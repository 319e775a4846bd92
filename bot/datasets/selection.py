"""Which verdicts become the dataset: each picture once, no more than a training takes, and enough of them."""

from dataclasses import dataclass, field, replace

from bot.datasets.report import LeftOut, PreparedImage, shown_name, top_reasons
from bot.datasets.sources import Candidate
from bot.errors import DatasetRejected


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
            return
        if self.is_full:
            self.leave_out_as_surplus(candidate)
            return
        self._images[verdict.sha256] = replace(verdict, caption=candidate.caption)

    def leave_out_as_surplus(self, candidate: Candidate) -> None:
        reason = f"is beyond the {self.most:,} pictures one training takes"
        self.left_out.append(LeftOut(name=shown_name(candidate.name), reason=reason))

    def refuse_if_fewer_than(self, least: int) -> None:
        found = len(self._images)
        if found >= least:
            return
        only = f"Only {found}" if found else "No"
        pictures = "picture" if found == 1 else "pictures"
        reasons = top_reasons(tuple(self.left_out))
        because = f" Left out: {reasons}." if reasons else ""
        raise DatasetRejected(f"{only} {pictures} can be used, and {least} are needed: send more.{because}")
