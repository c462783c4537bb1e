"""The names that logs give to months."""

from collections import Counter

from ingest.errors import ParseError

# Abbreviated months: glibc 2.36, localedata/locales/<name>, keyword abmon (+: ab_alt_mon), final dots off.
# Most daemons write English whatever the locale, but not all (kumina/postfix_exporter#76).
MONTHS_BY_LOCALE = {
    "C": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "bg_BG": "яну фев мар апр май юни юли авг сеп окт ное дек",
    "ca_ES+": "gen febr març abr maig juny jul ag set oct nov des",
    "cs_CZ": "led úno bře dub kvě čen čec srp zář říj lis pro",
    "da_DK": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "de_AT": "Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "de_DE": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "el_GR": "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
    "el_GR+": "Ιαν Φεβ Μάρ Απρ Μάι Ιούν Ιούλ Αύγ Σεπ Οκτ Νοέ Δεκ",
    "es_ES": "ene feb mar abr may jun jul ago sep oct nov dic",
    "et_EE": "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
    "fi_FI": "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "fr_FR": "janv févr mars avril mai juin juil août sept oct nov déc",
    "hr_HR": "sij velj ožu tra svi lip srp kol ruj lis stu pro",
    "hu_HU": "jan febr márc ápr máj jún júl aug szept okt nov dec",
    "it_IT": "gen feb mar apr mag giu lug ago set ott nov dic",
    "lt_LT": "saus vas kov bal geg birž liep rugp rugs spal lapkr gruod",
    "lv_LV": "jan feb mar apr mai jūn jūl aug sep okt nov dec",
    "nb_NO": "jan feb mars april mai juni juli aug sep okt nov des",
    "nl_NL": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "pl_PL": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "pt_PT": "jan fev mar abr mai jun jul ago set out nov dez",
    "ro_RO": "ian feb mar apr mai iun iul aug sep oct nov dec",
    "ru_RU": "янв фев мар апр мая июн июл авг сен окт ноя дек",
    "ru_RU+": "янв фев мар апр май июн июл авг сен окт ноя дек",
    "sl_SI": "jan feb mar apr maj jun jul avg sep okt nov dec",
    "tr_TR": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "uk_UA": "січ лют бер кві тра чер лип сер вер жов лис гру",
}


def _unambiguous() -> dict[str, int]:
    """Left out is what means two months: lip, lis, srp are earlier in Croatian than in Polish or Czech."""
    rows = [row.casefold().split() for row in MONTHS_BY_LOCALE.values()]
    meanings = {(name, month) for row in rows for month, name in enumerate(row, start=1)}
    count = Counter(name for name, _ in meanings)
    return {name: month for name, month in meanings if count[name] == 1}


MONTHS = _unambiguous()


def month_of(name: str) -> int:
    """1 for 'Jan', 'jan.', 'ene', 'Ιαν' ...; a ParseError for what is no month, or two."""
    month = MONTHS.get(name.rstrip(".").casefold())
    if month is None:
        raise ParseError(f"unknown month {name!r}; known are Jan to Dec and their forms in 24 languages")
    return month
