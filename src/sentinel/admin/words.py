"""How the panel writes times, numbers and activities, so that every page says them alike."""

from datetime import UTC, date, datetime

STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (30, "day"), (12, "month"))


def moment(value: datetime | None) -> str:
    """A point in time to the second, in UTC: ``2026-03-01 14:05:09 UTC``."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else "never"


def day(value: datetime | date | None) -> str:
    """A day, in UTC: ``1 March 2026``."""
    if value is None:
        return "never"
    if isinstance(value, datetime):
        value = value.astimezone(UTC).date()
    return f"{value.day} {value:%B %Y}"


def ago(value: datetime | None, now: datetime) -> str:
    """How long ago, roughly: ``just now``, ``5 minutes ago``, ``in 2 hours``."""
    if value is None:
        return "never"
    seconds = (now - value).total_seconds()
    if abs(seconds) < 10:
        return "just now"
    amount, unit = abs(seconds), "year"
    for size, name in STEPS:
        if amount < size:
            unit = name
            break
        amount /= size
    words = plural(int(amount), unit)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def count(value: int) -> str:
    """A number with thin spaces between the thousands: ``12 345``."""
    return f"{value:,}".replace(",", "\u202f")


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 member``, ``3 members``; ``many`` where the plural is not made with an s."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def plural_to(number: int, most: int, one: str) -> str:
    """The same of a number that was counted to ``most`` and one more: ``more than 100 members``."""
    return plural(number, one) if number <= most else f"more than {plural(most, one)}"


def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "") if words else "?"
    return letters.upper()


def activity(action: str) -> str:
    """An action of the activity vocabulary as people say it: ``member removed``."""
    words = action.replace("_", " ")
    return f"organization {words[4:]}" if words.startswith("org ") else words
