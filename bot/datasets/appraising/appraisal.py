"""Whether a dataset is worth its training, said before any money is spent: flaws of pictures, remarks on the whole."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.datasets.appraising import thresholds as at
from bot.datasets.appraising.findings import SEVERITY, Finding, Flaw, Light, Remark, Shot, Wishes
from bot.datasets.appraising.flaws import flaws_of
from bot.datasets.appraising.twins import are_alike, twins_among

__all__ = ["Appraisal", "Finding", "Flaw", "Light", "Remark", "Shot", "Wishes", "appraise"]

Findings = Mapping[int, tuple[Finding, ...]]

_MILD = frozenset({Remark.MANY, Remark.LOW_RESOLUTION, Remark.PARTLY_CAPTIONED})
_REFUSED = frozenset({Remark.TOO_FEW, Remark.TOO_MANY})
_NO_FAULT_OF_ITS_OWN = frozenset({Flaw.TWIN, Flaw.SURPLUS})


@dataclass(frozen=True, kw_only=True)
class Appraisal:
    """`findings` names only pictures that have some, the gravest first; `flagged` is what is better left out, and is
    never so many that fewer than the least remain; `left_aside` is what does not go to the trainer, because it
    takes no more; `missing` is how many fewer than its least do go there, and `missing_good` how many of those that
    are not grave."""

    light: Light
    findings: Findings
    remarks: tuple[Remark, ...]
    flagged: tuple[int, ...]
    missing: int
    missing_good: int
    left_aside: frozenset[int]


def appraise(shots: Sequence[Shot], wishes: Wishes) -> Appraisal:
    found = _found(shots, wishes)
    left_aside = frozenset(_left_aside(shots, found, wishes))
    findings = _findings(found, left_aside)
    remarks = tuple(_remarks(shots, findings, wishes))
    return Appraisal(
        light=_light(len(shots), findings, remarks, wishes),
        findings=findings,
        remarks=remarks,
        flagged=_flagged(len(shots), findings, wishes.least),
        missing=max(0, wishes.least - len(shots) + len(left_aside)),
        missing_good=_missing_good(len(shots), findings, wishes.least),
        left_aside=left_aside,
    )


def _found(shots: Sequence[Shot], wishes: Wishes) -> dict[int, list[Finding]]:
    found = {shot.number: list(flaws_of(shot, wishes)) for shot in shots}
    best_first = sorted(shots, key=lambda shot: _rank(shot, found[shot.number]))
    for number, twin in twins_among(best_first).items():
        found[number].append(twin)
    return found


def _findings(found: Mapping[int, list[Finding]], left_aside: Collection[int]) -> Findings:
    for number in left_aside:
        if not _is_spoilt(found[number]):
            found[number].append(Finding(flaw=Flaw.SURPLUS, is_grave=True))
    return {
        number: tuple(sorted(some, key=lambda one: (one.is_grave, SEVERITY[one.flaw]), reverse=True))
        for number, some in sorted(found.items())
        if some
    }


def _rank(shot: Shot, findings: Sequence[Finding]) -> tuple[bool, bool, float, int]:
    """Of twins the first is kept: without a grave flaw, with a caption, then with the most detail."""
    detail = shot.width * shot.height * shot.measures.sharpness**2
    return (_is_spoilt(findings), not shot.has_caption, -detail, shot.number)


def _is_spoilt(findings: Collection[Finding]) -> bool:
    return any(finding.is_grave for finding in findings)


def _left_aside(shots: Sequence[Shot], found: Mapping[int, Sequence[Finding]], wishes: Wishes) -> Iterator[int]:
    """What is too much: the grave ones first, then the doubtful, then the last."""
    wanted = sorted(shots, key=lambda shot: (_is_spoilt(found[shot.number]), bool(found[shot.number]), shot.number))
    together = accumulate(shot.size_bytes for shot in wanted)
    for place, (shot, so_far) in enumerate(zip(wanted, together, strict=True)):
        if place >= wishes.most or so_far > wishes.most_bytes:
            yield shot.number


def _missing_good(total: int, findings: Findings, least: int) -> int:
    return max(0, least - total + sum(_is_spoilt(some) for some in findings.values()))


def _flagged(total: int, findings: Findings, least: int) -> tuple[int, ...]:
    """The worst of the grave ones, as many as can be spared."""
    spoilt = [number for number, some in findings.items() if _is_spoilt(some)]
    spoilt.sort(key=lambda number: (-SEVERITY[findings[number][0].flaw], -len(findings[number]), number))
    return tuple(sorted(spoilt[: max(0, total - least)]))


def _remarks(shots: Sequence[Shot], findings: Findings, wishes: Wishes) -> Iterator[Remark]:
    total = len(shots)
    if total < wishes.least:
        yield Remark.TOO_FEW
    elif total < wishes.advised_least:
        yield Remark.FEW
    if total > wishes.most:
        yield Remark.TOO_MANY
    elif total > wishes.advised_most:
        yield Remark.MANY
    if sum(shot.size_bytes for shot in shots) > wishes.most_bytes:
        yield Remark.TOO_LARGE
    elif total >= wishes.least and _missing_good(total, findings, wishes.least):
        yield Remark.TOO_FEW_GOOD
    flawed = _flawed(findings)
    if len(flawed) > total * at.MANY_FLAWED:
        yield Remark.MANY_FLAWED
    if are_alike([shot for shot in shots if shot.number not in flawed]):
        yield Remark.ALIKE
    if sum(shot.width * shot.height < at.ADVISED_PIXELS for shot in shots) > total * at.MOST_MAY_BE_SMALLER:
        yield Remark.LOW_RESOLUTION
    if len({shot.has_caption for shot in shots}) == 2:
        yield Remark.PARTLY_CAPTIONED


def _flawed(findings: Findings) -> frozenset[int]:
    """Pictures with a grave flaw of their own; a twin or a surplus one may be as good as the others."""
    return frozenset(
        number
        for number, some in findings.items()
        if any(finding.is_grave and finding.flaw not in _NO_FAULT_OF_ITS_OWN for finding in some)
    )


def _light(total: int, findings: Findings, remarks: Collection[Remark], wishes: Wishes) -> Light:
    spoilt = sum(_is_spoilt(some) for some in findings.values())
    is_hopeless = len(_flawed(findings)) > total * at.MOSTLY_FLAWED or total - spoilt < wishes.least
    if is_hopeless or not _REFUSED.isdisjoint(remarks):
        return Light.RED
    doubtful = len(findings) - spoilt
    if spoilt or doubtful > total * at.MANY_DOUBTFUL or not _MILD.issuperset(remarks):
        return Light.YELLOW
    return Light.GREEN
