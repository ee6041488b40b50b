"""Words: the units and days that Azure's wire knows, what people write for them, and how a list is said.

The article on triggers is translated, and its translations translate the arguments too (``frequency="minuto"`` in the
Portuguese text), which the SDK refuses. So the words of its Portuguese, Spanish, French, German and Italian versions
are known here, to name the English one in the error.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from types import MappingProxyType

__all__ = [
    "FREQUENCIES",
    "MONTHS",
    "SUNDAY_FIRST",
    "WEEK_DAYS",
    "bytes_of",
    "count_of",
    "finer",
    "listed",
    "meant_frequency",
    "meant_week_day",
    "plain",
    "unit",
]

FREQUENCIES = ("Second", "Minute", "Hour", "Day", "Week", "Month")
WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SUNDAY_FIRST = (WEEK_DAYS[-1], *WEEK_DAYS[:-1])
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


# A finer unit that a fraction of a unit may be a whole number of.
FINER = {"Minute": ("Second", 60), "Hour": ("Minute", 60), "Day": ("Hour", 24), "Week": ("Day", 7)}


def _table(lines: dict[str, str]) -> MappingProxyType[str, str]:
    return MappingProxyType({word: meant for meant, words in lines.items() for word in words.split()})


# Without accents and in lower case, see ``plain``.
_UNIT = _table({
    "Second": "second seconds sec secs s",
    "Minute": "minute minutes min mins m",
    "Hour": "hour hours hr hrs h",
    "Day": "day days d",
    "Week": "week weeks w",
    "Month": "month months",
})  # fmt: skip
_FREQUENCY = _table({
    "Second": "secondly segundo segundos seconde secondes sekunde sekunden secondo secondi",
    "Minute": "minutely minuto minutos minuten minuti",
    "Hour": "hourly hora horas heure heures stunde stunden ora ore",
    "Day": "daily dia dias diario jour jours tag tage taglich giorno giorni",
    "Week": "weekly semana semanas semanal semaine semaines woche wochen settimana settimane",
    "Month": "monthly mes meses mensal mensual mois monat monate mese mesi",
})  # fmt: skip
_WEEK_DAY = _table({
    "Monday": "monday mon mo segunda segunda-feira lunes lundi montag lunedi",
    "Tuesday": "tuesday tue tues tu terca terca-feira martes mardi dienstag martedi",
    "Wednesday": "wednesday wed we quarta quarta-feira miercoles mercredi mittwoch mercoledi",
    "Thursday": "thursday thu thur thurs th quinta quinta-feira jueves jeudi donnerstag giovedi",
    "Friday": "friday fri fr sexta sexta-feira viernes vendredi freitag venerdi",
    "Saturday": "saturday sat sa sabado samedi samstag sonnabend sabato",
    "Sunday": "sunday sun su domingo dimanche sonntag domenica",
})  # fmt: skip


def plain(text: str) -> str:
    """Lower case without accents: how words are compared."""
    letters = unicodedata.normalize("NFKD", text.casefold().strip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def unit(word: str) -> str:
    """The frequency that an English unit of time stands for (``minutes``, ``h``); empty when it is none."""
    return _UNIT.get(plain(word), "")


def meant_frequency(word: str) -> str:
    """The frequency that a word in another case, number or language stands for; empty when it is none."""
    return unit(word) or _FREQUENCY.get(plain(word), "")


def finer(number: float, frequency: str) -> str:
    """``90 minutes`` for 1.5 and ``Hour``: the same in whole numbers of the next finer unit; empty when it has none."""
    name, factor = FINER.get(frequency, ("", 0))
    count = number * factor
    return count_of(int(count), name) if count > 0 and count.is_integer() else ""


def meant_week_day(word: str) -> str:
    """The English week day that a short or foreign name stands for; empty when it is none."""
    return _WEEK_DAY.get(plain(word), "")


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def count_of(number: int, unit: str) -> str:
    """``minute``, ``15 minutes``: what follows "every"."""
    return unit.lower() if number == 1 else f"{number} {unit.lower()}s"


def bytes_of(number: int) -> str:
    """``10 KB``, ``1 MiB``, ``1,234 bytes``: a size without rounding, in the unit that takes the fewest digits."""
    units = {"byte" if number == 1 else "bytes": 1}
    for power, letter in enumerate("KMGT", 1):
        units |= {f"{letter}B": 1000**power, f"{letter}iB": 1024**power}
    whole = [(number // unit, name) for name, unit in units.items() if number % unit == 0 and number >= unit]
    count, name = min(whole, key=lambda one: len(str(one[0])), default=(number, "bytes"))
    return f"{count:,} {name}"
