"""Changes to many captions at once, as a person orders them: find and replace, put before, another trigger word. Pure.

Captions go by the number of their picture, None where there is none. Only those that change are answered.
"""

import re
from collections.abc import Iterator, Mapping

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, as_word, cleaned_caption, with_trigger_word
from bot.errors import BadInput


def replace_in_all(captions: Mapping[int, str | None], find: str, put: str) -> Mapping[int, str | None]:
    """`put` for every `find`, as an editor does it: literally, in any case, also within words.

    A caption that becomes empty is None. Raises `BadInput`.
    """
    if not find.strip():
        raise BadInput("Write the text to look for in the captions.")
    if len(put) > MAX_CAPTION_CHARACTERS:
        raise BadInput(f"Write at most {MAX_CAPTION_CHARACTERS:,} characters to put in its place.")
    sought = re.compile(re.escape(_on_one_line(find)), re.IGNORECASE)
    return dict(
        _changed(captions, {n: sought.sub(lambda _found: put, caption) for n, caption in captions.items() if caption})
    )


def put_before_all(captions: Mapping[int, str | None], text: str) -> Mapping[int, str | None]:
    """The text in front of every caption that does not begin with it already.

    A picture without a caption keeps none: a trainer may still describe it. Raises `BadInput`.
    """
    lead = cleaned_caption(text)
    if not lead:
        raise BadInput("Write the text to put before the captions.")
    if len(lead) > MAX_CAPTION_CHARACTERS:
        raise BadInput(f"Write at most {MAX_CAPTION_CHARACTERS:,} characters to put before the captions.")
    return dict(
        _changed(
            captions,
            {
                n: caption if _begins(caption, lead) else f"{lead} {caption}"
                for n, caption in captions.items()
                if caption
            },
        )
    )


def with_changed_trigger_word(caption: str, old: str, new: str) -> str:
    """The caption with the new trigger word where the old one was, or else in front; doing it again changes nothing."""
    if old.lower() == new.lower():
        return with_trigger_word(caption, new)
    written = as_word(old)
    rest = re.sub(rf"^{written.pattern},\s*", "", caption, flags=re.IGNORECASE)
    if rest != caption and as_word(new).search(rest):  # named there as well: in front it was only put there
        caption = rest
    return with_trigger_word(written.sub(lambda _found: new, caption), new)


def change_trigger_word_in_all(captions: Mapping[int, str | None], old: str, new: str) -> Mapping[int, str | None]:
    """`with_changed_trigger_word` for every caption there is. Raises `BadInput`."""
    return dict(
        _changed(captions, {n: with_changed_trigger_word(text, old, new) for n, text in captions.items() if text})
    )


def _changed(captions: Mapping[int, str | None], edited: Mapping[int, str]) -> Iterator[tuple[int, str | None]]:
    """Raises `BadInput` for the first that has become too long."""
    for number, text in edited.items():
        if text == captions[number]:
            continue
        caption = cleaned_caption(text)
        if len(caption) > MAX_CAPTION_CHARACTERS:
            raise BadInput(
                f"The caption of picture {number} would be longer than {MAX_CAPTION_CHARACTERS:,} characters: "
                "use a shorter text."
            )
        if caption != captions[number]:
            yield number, caption or None


def _begins(caption: str, lead: str) -> bool:
    """With the text as words of its own: "a photo" does not begin "a photograph"."""
    return re.match(rf"{re.escape(lead)}(?!\w)", caption, re.IGNORECASE) is not None


def _on_one_line(text: str) -> str:
    """As captions are written; what it begins and ends with is kept, for a space may be meant."""
    return re.sub(r"\s+", " ", text)
