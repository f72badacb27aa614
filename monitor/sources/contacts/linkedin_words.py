"""How LinkedIn's mails say what they are: templates, senders, and subjects in many languages.

Templates, classes and senders are from real mails of 2016 to 2026, and so are the subjects in English, German, Italian,
Portuguese, Russian and Korean; in the other languages they are translated and not proven, which is why subjects come
last. A subject is matched in lower case, anywhere in it.
"""

from __future__ import annotations

import re
from types import MappingProxyType

# What a mail may be. All but the first four are no contact; "numbers" may hold a number, "none" says nothing.
KINDS = ("inmail", "request", "message", "digest", "numbers", "reminder", "accepted", "teaser", "noise", "none")

TEMPLATES: tuple[tuple[str, str], ...] = (
    ("email_none", "none"),
    ("email_hire_inmail_initial", "inmail"),
    ("email_m2m_invite_single", "request"),
    ("invite_guest", "request"),
    ("email_member_message", "message"),
    ("email_type_messaging_digest", "digest"),
    ("email_notification_digest", "numbers"),
    ("email_weekly_analytics", "noise"),  # of posts, not of the profile
    ("email_job_alert_digest", "noise"),
    ("email_application_confirmation", "noise"),
    ("email_jobs_application_rejected", "noise"),
    ("email_career_insights", "noise"),
    ("email_editorial", "noise"),
)  # how a template's name begins, to what it is

CLASSES = MappingProxyType(
    {
        "INMAIL": "inmail",
        "MBR-TO-MBR": "message",
        "INVITE-GUEST": "request",
        "SAVEDSEARCH": "noise",
        "EMAIL-DEFAULT": "none",
    }
)

SENDERS = MappingProxyType(
    {
        "inmail-hit-reply": "inmail",
        "hit-reply-premium-inmail": "inmail",
        "inmails-noreply": "inmail",
        "hit-reply": "message",
        "messaging-digest-noreply": "message",
        "invitations": "request",
        "notifications-noreply": "numbers",
        "messages-noreply": "none",
    }
    | dict.fromkeys(
        (
            *("jobs-noreply", "jobalerts-noreply", "jobs-listings", "newsletters-noreply", "editors-noreply"),
            *("groups-noreply", "updates-noreply", "security-noreply"),
        ),
        "noise",
    )
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


REMINDER = _any(
    r"\breminder\b|(?:is|are) (?:still )?waiting for your (?:response|reply)|invitations? (?:is|are) pending",
    r"(?:wartet|warten) (?:noch )?auf (?:ihre|deine) antwort|\berinnerung\b",
    r"attend(?:ent)? (?:toujours )?(?:votre|ta) réponse|\brappel\b",
    r"espera(?:n|ndo)? (?:tu|su) respuesta|\brecordatorio\b",
    r"in attesa (?:di una|della) tua risposta|attende la tua risposta|\bpromemoria\b",
    r"(?:aguarda|aguardando|esperando) (?:a )?sua resposta|\blembrete\b",
    r"wacht(?:en)? (?:nog )?op (?:uw|je) (?:antwoord|reactie)|\bherinnering\b",
    r"czeka(?:ją)? na (?:twoją )?odpowiedź|\bprzypomnienie\b",
    r"väntar på (?:ditt )?svar|\bpåminnelse\b|venter på (?:dit |ditt )?svar|\bpåmindelse\b",
    r"odottaa vastaus|\bmuistutus\b",
    r"(?:ожида[её]т|жд[её]т) (?:вашего )?ответа|напоминание",
    r"(?:очікує|чекає) (?:на )?(?:ваш[уої]+ )?відповід|нагадування",
    r"(?:yanıtınızı|cevabınızı) bekliyor|hatırlatma",
    r"čeká na (?:vaši )?odpověď|\bpřipom[eí]n|așteaptă răspunsul|\breamintire\b|válasz\w+ vár|\bemlékeztető\b",
    r"(?:返信|回答)をお待ち|リマインダー|(?:응답|회신|답변)을 기다리|等待(?:您|你)的?(?:回[复覆應应]|答[复覆])|提醒",
)

ACCEPTED = _any(
    r"start a conversation with your new connection|accepted your (?:invitation|request)|you(?:'re| are) now connected",
    r"hat (?:ihre|deine) (?:einladung|kontaktanfrage|anfrage) (?:angenommen|akzeptiert)|(?:ihrem|deinem) neuen kontakt",
    r"a accepté (?:votre|ton) invitation|(?:votre|ta) nouvelle relation",
    r"ha aceptado tu (?:invitación|solicitud)|tu nuevo contacto",
    r"ha accettato (?:il tuo|l'?) ?invito|tuo nuovo collegamento",
    r"aceitou (?:o )?seu (?:convite|pedido)|(?:sua nova conexão|seu novo contato|seu novo contacto)",
    r"heeft (?:uw|je) (?:uitnodiging|verzoek) geaccepteerd|(?:uw|je) nieuwe connectie",
    r"przyjęła? twoje zaproszenie|zaakceptowała? twoje zaproszenie|twoim nowym kontaktem",
    r"har (?:accepterat|accepteret|godtatt) (?:din )?(?:inbjudan|invitation|invitasjon)|din ny[ae] kontakt",
    r"hyväksyi kutsusi|on hyväksynyt kutsusi",
    r"принял[аи]? ваше приглашение|новому контакту|прийня(?:в|ла) ваше запрошення|нового контакту",
    r"davetinizi kabul etti|yeni bağlantınız",
    r"přijala? vaš[ei] (?:pozvánku|pozvání)|a acceptat invitația|elfogadta (?:a )?meghívás",
    r"招待を承諾|つながり申請を承認|(?:초대|신청)[를을] (?:수락|승인)|새(?:로운)? 1촌|接受了?(?:您|你)的?邀[请請]",
)

TEASER = _any(
    r"people are looking at your (?:linkedin )?profile|who(?:'s| is) (?:viewed|viewing|looking at) your profile",
    r"see who viewed your profile|your profile is getting (?:noticed|views)|you're getting noticed",
    r"wer hat (?:ihr|dein) profil (?:angesehen|besucht)|qui a consulté votre profil|quién ha visto tu perfil",
    r"chi ha visitato il tuo profilo|quem viu (?:o )?seu perfil|wie heeft (?:uw|je) profiel bekeken",
    r"кто смотрел ваш профиль",
    r"あなたのプロフィールを閲覧した(?:人|ユーザー)|프로필을 조회한|谁(?:看过|查看了)(?:您|你)的(?:档案|资料)",
)

DIGEST = _any(
    r"\b\d+ new messages\b|\b\d+ neue nachrichten\b|\b\d+ nouveaux messages\b|\b\d+ mensajes nuevos\b",
    r"\b\d+ nuovi messaggi\b|\b\d+ novas mensagens\b|\b\d+ nieuwe berichten\b|\b\d+ новых сообщени",
)

MESSAGE = _any(
    r"just messaged you|sent you a (?:new )?message|new message from|new message awaits",
    r"hat (?:ihnen|dir) (?:gerade )?(?:eine )?nachricht|neue nachricht von",
    r"vous a envoyé un (?:nouveau )?message|nouveau message de",
    r"te ha enviado un mensaje|acaba de enviarte un mensaje|mensaje nuevo de|nuevo mensaje de",
    r"ti ha (?:appena )?(?:inviato|scritto) un messaggio|nuovo messaggio da",
    r"(?:acabou de enviar|enviou) uma mensagem|nova mensagem de",
    r"heeft (?:u|je) (?:zojuist )?een bericht gestuurd|nieuw bericht van",
    r"wysłała? (?:ci )?(?:właśnie )?wiadomość|nowa wiadomość od",
    r"skickade (?:precis )?ett meddelande|nytt meddelande från|sendt dig en besked|ny besked fra",
    r"sendte deg (?:nettopp )?en melding|ny melding fra|lähetti sinulle viestin|uusi viesti",
    r"отправил[аи]? вам сообщение|новое сообщение от|надісла(?:в|ла) вам повідомлення|нове повідомлення від",
    r"size (?:bir )?mesaj gönderdi|vám (?:právě )?(?:poslala?|napsala?) zprávu|nová zpráva od",
    r"(?:ți|v)-a trimis un mesaj|mesaj nou de la|üzenetet küldött|új üzenet",
    r"メッセージ(?:が届|を送信|を受信)|새 메시지|메시지를 보냈|(?:发送|發送|发来|傳送)了?.{0,6}(?:消息|訊息|私信)",
)

REQUEST = _any(
    r"\bi want to connect\b|i'd like to (?:join|add you to) |please add me to your linkedin network|wants to connect",
    r"would like to connect|sent you (?:an invitation|a connection request)|invitation to connect",
    r"möchte (?:sich|mich) (?:gerne? )?(?:mit (?:ihnen|dir) )?vernetzen",
    r"kontaktanfrage von|einladung (?:von|zum vernetzen)",
    r"j'aimerais (?:rejoindre|vous ajouter)|souhaite (?:rejoindre votre|se connecter|me connecter|entrer en relation)",
    r"quiero conectar|me gustaría (?:unirme|conectar|añadirte)|quiere conectar|te ha enviado una invitación",
    r"voglio collegarmi|vorrei (?:aggiungerti|collegarmi)|(?:vuole|desidera) collegarsi",
    r"quero (?:me conectar|conectar|ligar-me)|gostaria de (?:me conectar|adicion)|quer se conectar",
    r"ik wil (?:graag )?(?:connecten|verbinden)|wil (?:graag )?(?:connecten|verbinden)|toevoegen aan mijn .*netwerk",
    r"chcę nawiązać kontakt|chce nawiązać kontakt|zaproszenie od",
    r"vill (?:ansluta|knyta kontakt|lägga till)|vil gerne (?:forbinde|oprette forbindelse|tilføje)",
    r"vil (?:gjerne )?(?:knytte kontakt|koble)|halua(?:n|a) verkostoitua",
    r"хо(?:чу|чет) (?:добавить|установить контакт)|приглашение от|хо(?:чу|че) (?:додати|встановити контакт)",
    r"bağlantı kurmak istiyor|(?:chci|chce|rád bych|ráda bych) se (?:s vámi )?(?:spojit|propojit)",
    r"(?:vreau|dorește|doresc) să (?:mă conectez|se conecteze)|szeretn[ée]k? (?:kapcsolatba|kapcsolódni)",
    r"つながり(?:を)?申請|1촌 ?신청|(?:希望|想要?|请求|請求).{0,6}(?:加为好友|建立联系|建立聯繫|加入.{0,6}人脉)",
)

BY_SUBJECT: tuple[tuple[re.Pattern[str], str], ...] = (
    (REMINDER, "reminder"),
    (ACCEPTED, "accepted"),
    (TEASER, "teaser"),
    (DIGEST, "digest"),
    (MESSAGE, "message"),
    (REQUEST, "request"),
)

# Whose name a subject tells, where the mail is from "LinkedIn".
NAME_IN_SUBJECT: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"(?P<name>.{1,80}?) (?:just messaged you|sent you a (?:new )?message|(?:wants|would like) to connect)\b",
        r"new message from (?P<name>.{1,80})",
        r"(?P<name>.{1,80}?) hat (?:ihnen|dir) (?:gerade )?eine nachricht ge(?:sendet|schickt)",
        r"neue nachricht von (?P<name>.{1,80})",
        r"(?P<name>.{1,80}?) vous a envoyé un (?:nouveau )?message",
        r"(?P<name>.{1,80}?) (?:te ha enviado un mensaje|acaba de enviarte un mensaje)",
        r"(?P<name>.{1,80}?) ti ha (?:appena )?(?:inviato|scritto) un messaggio",
        r"(?P<name>.{1,80}?) (?:acabou de enviar|enviou) uma mensagem",
        r"(?P<name>.{1,80}?) heeft (?:u|je) (?:zojuist )?een bericht gestuurd",
    )
)

# "Ada Example via LinkedIn", as the display name says it.
VIA = re.compile(
    r"[\s(\[|·–-]+(?:via|über|through|from|on|auf|par|sur|a través de|por|en|su|tramite|da|pelo|no|op|przez|genom"
    r"|gennem|gjennom|på|kautta|через|üzerinden|přes|prin|keresztül|aracılığıyla)?\s*linkedin\)?\]?$",
    re.I,
)
