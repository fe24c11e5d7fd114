"""Text with commas between its parts, where brackets and quotes hold together what belongs together."""

PAIRS = {"(": ")", "[": "]"}


def split(text: str) -> list[str]:
    """The parts between the commas; none of an empty text.

    Raises:
        ValueError: a bracket or a quote is open or closed without the other.

    >>> split("(1,2),(3,)"), split("'a,b',c"), split("")
    (['(1,2)', '(3,)'], ["'a,b'", 'c'], [])
    """
    parts, open_, quote = [""], [], ""
    for letter in text:
        if letter == "," and not open_ and not quote:
            parts.append("")
            continue
        parts[-1] += letter
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and parts[-1].strip() == letter:
            quote = letter  # an apostrophe within a word opens nothing
        elif letter in PAIRS:
            open_.append(PAIRS[letter])
        elif letter in PAIRS.values() and (not open_ or open_.pop() != letter):
            raise ValueError(f"{letter!r} closes nothing in {text!r}")
    if open_ or quote:
        raise ValueError(f"{text!r} lacks {(open_ or [quote])[-1]!r} at its end")
    parts = [part.strip() for part in parts]
    return parts[:-1] if not parts[-1] else parts


def inner(text: str) -> str:
    """What stands between the brackets around a tuple.

    Raises:
        ValueError: there are none.
    """
    if len(text) < 2 or PAIRS.get(text[0]) != text[-1]:
        raise ValueError(f"{text!r} has no brackets around it")
    return text[1:-1]
