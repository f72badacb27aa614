"""The weekly numbers in LinkedIn's mails: only those inside a sentence known to tell them.

The English sentences are from real mails (the one of profile views is not); the others are translated and not proven. A
sentence fills its line, so that a number elsewhere, or a member's post that quotes one, is not taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_N = r"(?P<n>\d(?:[\d.,'’\s]*\d)?(?:[KkMm+](?!\w)|\s?(?:tsd|mil|tys|тыс|mln)\b\.?|[万萬천만억])?)"
_WEEK = (
    r"(?: (?:this|in the last|in the past|last|past) (?:week|7 days)| (?:diese|in dieser) woche| cette semaine"
    r"| esta semana| (?:in )?questa settimana| (?:nesta|essa|nessa) semana| deze week| w tym tygodniu"
    r"| (?:den här|denna) veckan?| (?:i )?denne uge| denne uk[ae]n?| tällä viikolla| на этой неделе| за неделю"
    r"| (?:на )?цього тижня| tento týden| săptămâna aceasta| ezen a héten)?"
)
_GREETING = re.compile(r"^[^,:，\d]{1,60}[,:，]\s*")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’ ])\d{3})(?:\1\d{3})*")

DEFINITIONS = {
    "search_appearances": "searches you appeared in, in the week before LinkedIn's mail",
    "profile_appearances": "profile appearances (searches, posts, comments, recommendations), as LinkedIn mails them",
    "people_noticed": "people who noticed you or your profile, as LinkedIn mails them",
    "profile_views": "people who viewed your profile, as LinkedIn mails them",
}

_SENTENCES: dict[str, tuple[str, ...]] = {
    "search_appearances": (
        r"you appeared in {n} search(?:es)?{w}",
        r"(?:sie|du|ihr profil|dein profil) (?:sind|bist|ist|wurden|wurdest|wurde){w} in {n} such(?:en?|anfragen?"
        r"|ergebnissen|ergebnis) (?:erschienen|gefunden|angezeigt|aufgetaucht)",
        r"vous (?:êtes apparue?(?:\(e\))?|apparaissez|avez figuré) dans {n} (?:résultats? de )?recherches?{w}",
        r"(?:has aparecido|apareciste|ha aparecido) en {n} (?:resultados? de )?búsquedas?{w}",
        r"(?:sei|hai) (?:apparso|apparsa|comparso|comparsa|apparso/a) in {n} (?:risultat[oi] di )?ricerc(?:a|he){w}",
        r"(?:você )?apareceu em {n} (?:resultados? de )?(?:pesquisas?|buscas?){w}",
        r"(?:u bent|je bent|u kwam|je kwam){w} in {n} zoek(?:opdrachten|opdracht|resultaten|resultaat)"
        r"(?: verschenen| voor)?{w}",
        r"(?:twój profil )?pojawił[eaoś()-]* się{w} w {n} (?:wyszukiwani(?:ach|u)|wynikach wyszukiwania){w}",
        r"du (?:visades|förekom|dök upp|optrådte|blev vist|dukket opp|ble vist) i {n} (?:sökningar?|søgninger?|søk){w}",
        r"(?:näyit|esiinnyit|olit) {n} haussa{w}",
        r"(?:вы|ваш профиль) появ(?:ил|лял)(?:ись|ся) в {n} (?:поисковых запросах|результатах поиска|поисках){w}",
        r"(?:ви|ваш профіль) з['’]яв(?:илися|лялися|ився) у {n} (?:пошукових запитах|результатах пошуку|пошуках){w}",
        r"(?:bu hafta )?{n} aramada (?:göründünüz|çıktınız|yer aldınız)",
        r"objevil[aiy]? jste se{w} ve? {n} vyhledáván(?:ích|í){w}",
        r"(?:ai|ați) apărut în {n} (?:de )?căutări{w}",
        r"(?:ezen a héten )?{n} keresésben (?:jelent meg|szerepelt){w}",
        r"(?:今週)?[、 ]?(?:あなたは)?{n} ?件の検索(?:結果)?に(?:表示され|登場し)ました",
        r"(?:이번 주에? )?{n} ?[건개번회]?의? ?검색(?: 결과)?에 (?:표시|노출|등장)(?:되었습니다|됐습니다|했습니다)",
        r"[您你]?(?:本[周週])?[您你]?出[现現]在了? ?{n} ?[次个個]?(?:搜[索尋])(?:[结結]果)?中?",
    ),
    "profile_appearances": (
        r"you had {n} profile appearances?{w}",
        r"{n} profile appearances?{w}",
        r"your profile appeared {n} times?{w}",
        r"{n} (?:profilauftritte?|apparitions? (?:de|du|de votre) profil|apariciones? (?:de|del|de tu) perfil){w}",
    ),
    "people_noticed": (
        r"{n} (?:people|person) noticed (?:you|your profile){w}",
        r"{n} person(?:en)? (?:hat|haben) (?:sie|dich|ihr profil|dein profil){w} (?:bemerkt|wahrgenommen)",
        r"{n} personnes? (?:vous (?:a|ont) remarquée?s?|(?:a|ont) remarqué votre profil){w}",
        r"{n} personas? (?:se (?:ha|han) fijado en (?:ti|tu perfil)|(?:ha|han) notado tu perfil){w}",
        r"{n} person[ae] (?:ti (?:ha|hanno) notato|(?:ha|hanno) notato il tuo profilo){w}",
        r"{n} pessoas? (?:not(?:ou|aram)|repar(?:ou|aram) em) (?:você|(?:o )?seu perfil){w}",
        r"{n} (?:persoon|personen|mensen) (?:heeft|hebben) (?:u|je|uw profiel|je profiel){w} opgemerkt",
        r"{n} (?:человека?|пользовател[ья]|пользователей) заметил[аи]? (?:вас|ваш профиль){w}",
        r"{n} kişi (?:sizi|profilinizi) fark etti",
        r"{n} ?人があなた(?:のプロフィール)?に(?:気づき|注目し)ました",
    ),
    "profile_views": (
        r"{n} (?:people|person) (?:viewed|looked at|visited) your (?:linkedin )?profile{w}",
        r"your profile was viewed by {n} (?:people|person){w}",
        r"{n} person(?:en)? (?:hat|haben) (?:ihr|dein) profil{w} (?:angesehen|besucht|aufgerufen)",
        r"{n} personnes? (?:a|ont) (?:consulté|vu|visité) votre profil{w}",
        r"{n} personas? (?:ha|han) (?:visto|visitado|consultado) tu perfil{w}",
        r"{n} person[ae] (?:ha|hanno) (?:visto|visitato|visualizzato) il tuo profilo{w}",
        r"{n} pessoas? (?:viu|viram|visitou|visitaram|visualizou|visualizaram) (?:o )?seu perfil{w}",
        r"{n} (?:persoon|personen|mensen) (?:heeft|hebben) (?:uw|je) profiel{w} bekeken",
        r"{n} os(?:oba|oby|ób) (?:wyświetlił[aoy]|obejrzał[aoy]) (?:twój|twoj) profil{w}",
        r"{n} personer? (?:har )?(?:tittat på din profil|besökt din profil|set din profil|sett på profilen din){w}",
        r"{n} (?:человека?|пользовател[ья]|пользователей) (?:просмотрел[аи]?|посмотрел[аи]?) ваш профиль{w}",
        r"{n} kişi profilinizi (?:görüntüledi|ziyaret etti)",
        r"{n} ?人があなたのプロフィールを(?:閲覧|表示)しました",
        r"{n} ?명이 (?:회원님의 )?프로필을 (?:조회했습니다|봤습니다)",
        r"{n} ?[人位](?:会员|會員)?(?:查看|浏览|瀏覽)了?[您你]的(?:个人|個人)?(?:档案|檔案|资料|資料|主页)",
    ),
}
_PATTERNS = tuple(
    (metric, re.compile(sentence.replace("{n}", _N).replace("{w}", _WEEK) + r"[.!。!…]?"))
    for metric, sentences in _SENTENCES.items()
    for sentence in sentences
)


class Number(NamedTuple):
    """A number told: `value` is None where its form is not known or where a mail tells two."""

    metric: str
    value: int | None


def find(subject: str, plain: str) -> Iterator[Number]:
    """The numbers a mail tells, one a metric; the subject goes before the text."""
    found: dict[str, set[int | None]] = {}
    for number in (*_in_line(subject), *_in_line(_GREETING.sub("", subject))):
        found.setdefault(number.metric, set()).add(number.value)
    told = set(found)
    for number in (number for line in plain.splitlines() for number in _in_line(line)):
        if number.metric not in told:
            found.setdefault(number.metric, set()).add(number.value)
    for metric, values in found.items():
        yield Number(metric, values.pop() if len(values) == 1 else None)


def whole(text: str) -> int | None:
    """A whole number, thousands apart or not; None for any other form, such as "1.5K" or "500+".

    >>> whole("1,234"), whole("1.234.567"), whole("12 345"), whole("1,2"), whole("500+")
    (1234, 1234567, 12345, None, None)
    """
    text = " ".join(text.split())
    if not (text.isdecimal() and len(text) <= 9) and not (_GROUPED.fullmatch(text) and len(text) <= 15):
        return None
    return int("".join(c for c in text if c.isdecimal()))


def _in_line(line: str) -> list[Number]:
    line = line.casefold()
    if len(line) > 200 or not any(c.isdecimal() for c in line):
        return []
    matches = ((metric, pattern.fullmatch(line)) for metric, pattern in _PATTERNS)
    return [Number(metric, whole(match["n"])) for metric, match in matches if match]
