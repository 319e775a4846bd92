"""Tells whether a trigger word is rare enough to stand for something new, and suggests one that is. Pure.

A base model has seen everyday words and common names so often that a training hardly moves what they mean. The words
are zxcvbn's frequency lists. Each word is only in the list in which it ranks highest, so plain words are looked for
among passwords as well ("dragon", "tiger"). What the lists leave out is in `EVERYDAY` and `GIVEN_NAMES`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

CUSTOMARY = frozenset({"tok", "ohwx", "sks", "zwx", "zwc", "zkz", "bnha", "shs", "rrr", "uxa", "ukj", "xjy", "qpt"})
MOST_CHARACTERS = 30  # of a trigger word, as the commands take it
ENDINGS = ("xo", "zq", "xqz")  # what makes a word rare and can still be said
PASSWORDS = 10_000  # of the list, commonest first: what comes later is rarely a word
LEAST_TELLING = 3  # characters; a shorter part of a word does not make the whole rare

# Words of three letters, which the lists leave out, and words that they only know as names.
EVERYDAY = """
ant ape arm bag ball bat bee bow bug cap cat cob cow cub doe eel egg elf elk emu fan fat fin fly fur gel gem gnu gum
ham hat hen hip hog hub hut ink inn jam jar jaw jet jug kit lab lap leg lid lip log map mat mix mop mud mug net nun nut
oak oat oil orb orc ore owl pad pan paw pen pet pie pig pin pit pod pop pot pub pug pup ram rat rib rim rug sad saw shy
sky spa spy sun tab tan tap tax tea tie tin tip toe toy tub urn vet vow wax web wet wig yak yam zip zoo bus bot ivy
king hill green white young wood woods stone black fox rose brown gray bell baker cook hunter carpenter knight fisher
bishop rice berry lane price long fields wolf wolfe ball page parks bush cross moss farmer glover cannon potter
flowers pope wise waters winter summer autumn lily daisy violet ruby pearl amber ginger hazel olive jasmine iris holly
hope faith joy grace dawn angel crystal star robin jay drew art max miles ray rex rod bill mark will jack chase
""".split()  # noqa: SIM905 - a list of strings would fill a page

# Names that are commoner as passwords, so that the lists do not have them among names.
GIVEN_NAMES = """
alejandro alexis andrey austin cameron cassie charlie chelsea chrissy connor dexter freddy galina hannah irina jordan
karina katrin kirill larisa lizzy maddie madison maggie maksim marina maxwell mickey mikey natasha nicola oksana oliver
pascal polina ruslan samantha sebastian sergei sergey shelby sophie svetlana sydney tatyana valentina vladimir xavier
zara zoe
""".split()  # noqa: SIM905 - as above

PART = re.compile(r"[-_\s]+")


class Verdict(StrEnum):
    RARE = "rare"
    PLAIN = "plain"  # an everyday word
    NAME = "name"  # of a person, surely known


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Small letters only."""

    plain: frozenset[str]
    names: frozenset[str]


def judge(word: str) -> Verdict:
    """A word of several parts is rare as soon as one of them is; "cat-1" and "cats2" are as plain as "cat"."""
    if word.strip().lower() in CUSTOMARY:
        return Verdict.RARE
    verdicts = {_judge_part(part) for part in _telling_parts(word)}
    if Verdict.RARE in verdicts:
        return Verdict.RARE
    return Verdict.NAME if Verdict.NAME in verdicts else Verdict.PLAIN


def rarer(word: str) -> str:
    """A rare trigger word that still reads like this one: "luna" becomes "lunaxo". A rare one stays as it is."""
    stem = _writable(word)
    if 2 <= len(stem) <= MOST_CHARACTERS and stem == word and judge(stem) is Verdict.RARE:
        return stem
    stem = re.sub(r"[\d_-]+$", "", stem)
    for ending in ENDINGS:
        suggestion = stem[: MOST_CHARACTERS - len(ending)] + ending
        if len(suggestion) > LEAST_TELLING and judge(suggestion) is Verdict.RARE:
            return suggestion
    return f"ohwx-{stem}"[:MOST_CHARACTERS].rstrip("-_")


def _telling_parts(word: str) -> Iterator[str]:
    """The parts that say something, without the digits at their ends; the whole word when all of it is short."""
    parts = [part.rstrip("0123456789") for part in PART.split(word.strip().lower())]
    telling = [part for part in parts if len(part) >= LEAST_TELLING]
    return iter(telling or ["".join(parts)])


def _judge_part(part: str) -> Verdict:
    """Nothing but digits is plain: a number means itself."""
    if part in CUSTOMARY:
        return Verdict.RARE
    known = _vocabulary()
    if not part or part in known.plain:
        return Verdict.PLAIN
    if part in known.names:
        return Verdict.NAME
    return Verdict.PLAIN if any(singular in known.plain for singular in _singulars(part)) else Verdict.RARE


def _singulars(part: str) -> Iterator[str]:
    if part.endswith("ies"):
        yield part[:-3] + "y"
    if part.endswith("es"):
        yield part[:-2]
    if part.endswith("s"):
        yield part[:-1]


def _writable(word: str) -> str:
    """What of it may be in a trigger word: letters without accents, digits, - and _, a letter or digit first."""
    plain = unicodedata.normalize("NFKD", "-".join(word.split()))
    return re.sub(r"[^A-Za-z0-9_-]", "", plain).lstrip("-_")


@cache
def _vocabulary() -> Vocabulary:
    """Read when the first word is judged: a twentieth of a second, and 14 MiB that stay."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS as LISTS  # type: ignore[import-untyped]  # noqa: PLC0415 - large

    guessed = (word for word in LISTS["passwords"][:PASSWORDS] if word.isalpha() and re.search("[aeiou]", word))
    plain = frozenset(EVERYDAY).union(LISTS["english_wikipedia"], LISTS["us_tv_and_film"], guessed)
    names = frozenset(GIVEN_NAMES).union(LISTS["male_names"], LISTS["female_names"], LISTS["surnames"])
    return Vocabulary(plain=plain - set(GIVEN_NAMES), names=names)
