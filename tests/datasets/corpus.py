"""Every kind of upload that is messy or meant to harm, and what must become of it; printed as a table by

python -m tests.datasets.corpus
"""

from tests.datasets.cases import Case
from tests.datasets.corpus_captions import CAPTIONS
from tests.datasets.corpus_hostile import HOSTILE
from tests.datasets.corpus_messy import MESSY
from tests.datasets.corpus_pictures import PICTURES

CASES: dict[str, Case] = {**MESSY, **CAPTIONS, **PICTURES, **HOSTILE}
assert len(CASES) == sum(map(len, (MESSY, CAPTIONS, PICTURES, HOSTILE))), "two cases have one name"


def main() -> None:
    print(f"{len(CASES)} cases\n\n| handed over | kept | left out, or refused |\n| --- | --- | --- |")
    for name, case in CASES.items():
        kept = ", ".join(_short(picture) for picture in case.kept) or "—"
        reasons = "; ".join(f"“{_short(file)}” {reason}" for file, reason in case.left_out)
        print(f"| {name} | {kept} | {case.refused or reasons or '—'} |".replace("\n", " "))


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:10]}…{name[-10:]}"


if __name__ == "__main__":
    main()
