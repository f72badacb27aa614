"""The words by which a recruiter's mail is known, in many languages. Each row: its name in reasons, its weight, words.

A word stands for itself and what it begins (`recruit` for `recruiter`), in lower case.
"""

from __future__ import annotations

import re


def _starts(text: str) -> re.Pattern[str]:
    """Any of the words, `|` between them, each at the beginning of a word; Chinese and Japanese ones anywhere."""
    parts = [re.escape(part).replace(r"\ ", r"\s+") for part in text.split("|")]
    return re.compile("|".join(part if ord(part[0]) > 0x2E7F else rf"\b{part}" for part in parts))


STRONG: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "recruiter",
        _starts("recruit|recrut|reclut|rekrut|rekryt|värväys|рекрут|рекрутер|náborář|toborz|işe alım"),
    ),
    (
        "recruiter",
        _starts(
            "headhunt|executive search|chasseur de tête|cazatalentos|хедхантер|хантер|ヘッドハンティング|猎头|獵頭"
        ),
    ),
    ("recruiter", _starts("personalberat|personalvermittl|direktvermittl|personalreferent|selezione del personale")),
    (
        "talent",
        _starts("talent acquisition|talent partner|talent sourc|talent scout|talent team|talentförvärv|採用担当|채용"),
    ),
    ("hiring", _starts("hiring|we are hiring|staffing|wervings|werving en selectie|подбор персонала|підбір персоналу")),
)
WEAK: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "opportunity",
        _starts("opportunit|opportunité|oportunidad|opportunità|oportunidade|möglichkeit|kans|szansa|möjlighet"),
    ),
    (
        "opportunity",
        _starts("mulighed|mulighet|mahdollisuu|возможност|можливіст|fırsat|příležitost|oportunitat|lehetőség"),
    ),
    ("role", _starts("role|position|posición|posizione|posição|poste|vacature|stanowisk|tjänst|stilling|rolle|tehtäv")),
    (
        "role",
        _starts(
            "должност|позици|посад|позиці|pozisyon|pozic|pozíci|poziți|functie|ポジション|求人|포지션|职位|職位|岗位|崗位"
        ),
    ),
    (
        "vacancy",
        _starts("vacanc|vacante|vaga|job opening|job offer|offre d'emploi|stellenangebot|offerta di lavoro|oferta"),
    ),
    ("vacancy", _starts("stelle|vakans|ваканс|iş ilanı|állás|avoin työpaikka|ledig|praca|pracovní nabíd|nabídk|werk")),
    (
        "job",
        _starts("job|karriere|carrière|career|carrera|carriera|carreira|карьер|кар'єр|kariyer|kariér|karrier|転職"),
    ),
    (
        "cv",
        _starts(
            "cv|resume|résumé|lebenslauf|currícul|curricul|резюме|özgeçmiş|życiorys|önéletrajz|履歴書|이력서|简历|履歷"
        ),
    ),
    ("candidate", _starts("candidate|kandidat|candidat|candidato|кандидат|aday|jelölt|候选人")),
    (
        "interview",
        _starts("interview|vorstellungsgespräch|entretien|entrevista|colloquio|собеседован|співбесід|pohovor|面试"),
    ),
    (
        "remote or salary",
        _starts("remote|100% home|salary|gehalt|salaire|salario|salário|stipendio|зарплат|maaş|contract role"),
    ),
)
TITLE = _starts(
    "engineer|developer|entwickler|programmer|architect|architekt|développeur|ingénieur|desarrollador|ingenier|ingegner"
    "|sviluppat|desenvolvedor|engenheir|ontwikkelaar|programist|utvecklare|udvikler|utvikler|kehittäjä|разработчик"
    "|розробник|geliştirici|vývojář|dezvoltator|fejlesztő|consultant|berater|team lead|tech lead|head of|cto|devops"
    "|data scientist|analyst|product manager|project manager|projektleiter|エンジニア|개발자|工程师|工程師"
)
APPROACH = re.compile(
    r"\b(?:are you|would you be|you might be) (?:\w+ )?(?:open to|interested in|looking for|available)"
    r"|\b(?:came across|found|saw|viewed|reviewed|impressed by|looking at) your (?:\w+ ){0,2}"
    r"(?:profile|resume|résumé|cv|background|experience|github|blog|website|number)"
    r"|\b(?:ihr|dein|ihrem|deinem) (?:\w+ )?(?:profil|lebenslauf|werdegang)|\bvotre (?:profil|parcours|cv)"
    r"|\b(?:tu|su) (?:perfil|experiencia|currículum)|\b(?:tuo|suo) (?:profilo|curriculum|cv)|\bseu (?:perfil|currículo)"
    r"|\b(?:uw|je) (?:profiel|cv)\b|\btwój profil|\bваш (?:профиль|профіль|опыт|досвід)|\b(?:din|deres) profil"
    r"|\bprofiilisi|\bprofilinizi|\bváš profil|\bprofilul (?:tău|dumneavoastră)|\ba profilj"
)
OWN_ACT = re.compile(
    r"\byour (?:job )?application\b|thank(?:s| you) for (?:applying|your (?:application|interest))|application received"
    r"|\b(?:ihre|deine) bewerbung\b|\bvotre candidature\b|\btu (?:candidatura|solicitud)\b|\btua candidatura\b"
    r"|\bsua candidatura\b|\b(?:uw|je) sollicitatie\b|\btwoj[aąe] aplikacj|\bваш отклик"
    r"|\bdin (?:ansökan|ansøgning)\b"
)
AUTOMATIC = re.compile(
    r"^(?:no-?reply|do-?not-?reply|noreply|notifications?|mailer-daemon|postmaster|bounces?)(?:[+._-]|$)"
)
FREE_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
        *("gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "aol.com", "mail.ru", "yandex.ru", "wp.pl"),
        *("o2.pl", "seznam.cz", "orange.fr", "free.fr", "libero.it", "qq.com", "163.com", "naver.com"),
    )
)
