"""How fast work goes and how long it will take, in words."""


def rate(per_second: int | float) -> str:
    """A rate in the unit that makes it readable.

    >>> rate(31.4159), rate(0.05), rate(0.001)
    ('31.4 per second', '3.0 per minute', '3.6 per hour')
    """
    for unit, seconds in (("second", 1), ("minute", 60)):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:.1f} per {unit}"
    return f"{per_second * 3600:.1f} per hour"


def duration(seconds: int | float) -> str:
    """A time in its two largest units.

    >>> duration(7.4), duration(75.0), duration(7300.0)
    ('7 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
