//! Times in other languages.

use super::check;

const DE: &str = "Europe/Berlin";
const ES: &str = "Europe/Madrid";
const MX: &str = "America/Mexico_City";
const BR: &str = "America/Sao_Paulo";
const FR: &str = "Europe/Paris";
const JP: &str = "Asia/Tokyo";

#[test]
fn german() {
    check(&[
        ("de-DE", DE, "gestern um halb zehn habe ich ein Video gestartet", "clock 06-09 09:30"),
        ("de-DE", DE, "gestern Abend um halb zehn habe ich ein Video gestartet", "clock 06-09 21:30"),
        ("de-DE", DE, "am Sonntag gegen 15 Uhr gestartet", "clock 06-07 15:00"),
        ("de-DE", DE, "am Montag um Viertel nach neun gestartet", "clock 06-08 09:15"),
        ("de-DE", DE, "heute früh um dreiviertel acht", "clock 06-10 07:45"),
        ("de-DE", DE, "gestern um 14.30 Uhr, 240 Credits weg", "clock 06-09 14:30"),
        ("de-DE", DE, "am 8. Juni um 14:30 Uhr", "clock 06-08 14:30"),
        ("de-DE", DE, "am 08.06. um 14:30", "clock 06-08 14:30"),
        ("de-DE", DE, "am 08.06.2026 gegen 9 Uhr morgens", "clock 06-08 09:00"),
        ("de-DE", DE, "vorgestern kurz nach 22 Uhr", "clock 06-08 22:00"),
        ("de-DE", DE, "letzte Nacht um 2 Uhr", "clock 06-10 02:00"),
        ("de-DE", DE, "vor 3 Stunden gestartet, nichts da", "clock 06-10 10:00 @UTC"),
        ("de-DE", DE, "vor zwei Tagen habe ich ein Video erstellt", "win 06-08 00:00..06-09 00:00"),
        ("de-DE", DE, "gestern zwischen 14 und 15 Uhr", "win 06-09 13:30..06-09 15:30"),
        ("de-DE", DE, "Montag, 14-15 Uhr", "win 06-08 13:30..06-08 15:30"),
        ("de-DE", DE, "gestern Nachmittag kam nichts an", "win 06-09 12:00..06-09 18:00"),
        (
            "de-DE",
            DE,
            "Guten Morgen, mein Video vom Dienstagabend fehlt, also Dienstag am Abend",
            "win 06-09 18:00..06-10 00:00",
        ),
        ("de-AT", "Europe/Vienna", "am 5.6. um 9 Uhr MESZ", "clock 06-05 09:00"),
        ("de-CH", "Europe/Zurich", "am Montag um zwanzig nach acht abends", "clock 06-08 20:20"),
        ("de-DE", DE, "am Montag um fünf vor halb vier nachmittags", "clock 06-08 15:25"),
        ("de-DE", DE, "gestern um Mitternacht", "clock 06-10 00:00"),
        ("de-DE", DE, "am 12. Mai mittags um 12 Uhr", "clock 05-12 12:00"),
        ("de-DE", DE, "Ich brauche es bis Freitag. Gestartet habe ich es am Montag um 10:15 Uhr.", "clock 06-08 10:15"),
    ]);
}

#[test]
fn spanish() {
    check(&[
        ("es-MX", MX, "el lunes a las 5 de la tarde más o menos generé un video", "clock 06-08 17:00"),
        ("es-ES", ES, "ayer a las cinco y media de la tarde", "clock 06-09 17:30"),
        ("es-ES", ES, "ayer a las nueve menos cuarto de la noche", "clock 06-09 20:45"),
        ("es-ES", ES, "ayer al mediodía generé un clip", "clock 06-09 12:00"),
        ("es-ES", ES, "el 8 de junio a las 14:30", "clock 06-08 14:30"),
        ("es-ES", ES, "8/6/2026 a las 9:15", "clock 06-08 09:15"),
        ("es-MX", MX, "anoche a las 11 lancé un video", "clock 06-09 23:00"),
        ("es-MX", MX, "anoche generé un video y nada", "win 06-09 20:00..06-10 06:00"),
        ("es-ES", ES, "hace dos horas generé un video", "clock 06-10 11:00 @UTC"),
        ("es-ES", ES, "hace dos días generé un video", "win 06-08 00:00..06-09 00:00"),
        ("es-ES", ES, "ayer entre las 3 y las 4 de la tarde", "win 06-09 14:30..06-09 16:30"),
        ("es-ES", ES, "ayer por la mañana", "win 06-09 05:00..06-09 12:00"),
        ("es-AR", "America/Argentina/Buenos_Aires", "el martes a las 22 hs", "clock 06-09 22:00"),
        ("es-ES", ES, "esta mañana a las 8 y cuarto", "clock 06-10 08:15"),
        ("es-ES", ES, "el sábado pasado sobre las 20:10", "clock 06-06 20:10"),
        ("es-CO", "America/Bogota", "ayer a las 3 pm hora de México", "clock 06-09 15:00 @America/Mexico_City"),
        ("es-ES", ES, "a la 1 de la madrugada de hoy", "clock 06-10 01:00"),
        ("es-ES", ES, "Buenas tardes, ayer no salió mi video", "win 06-09 00:00..06-10 00:00"),
    ]);
}

#[test]
fn portuguese() {
    check(&[
        ("pt-BR", BR, "Hoje às 9h35 tentei gerar um vídeo", "clock 06-10 09:35"),
        ("pt-BR", BR, "ontem às 14h tentei gerar", "clock 06-09 14:00"),
        ("pt-BR", BR, "ontem às 9 da manhã", "clock 06-09 09:00"),
        ("pt-BR", BR, "ontem às 7 e meia da noite", "clock 06-09 19:30"),
        ("pt-BR", BR, "ontem à noite gerei um vídeo", "win 06-09 20:00..06-10 06:00"),
        ("pt-BR", BR, "segunda-feira por volta das 16h gerei", "clock 06-08 16:00"),
        ("pt-BR", BR, "na segunda às 16:20 gerei um vídeo", "clock 06-08 16:20"),
        ("pt-PT", "Europe/Lisbon", "no dia 8 de junho ao meio-dia", "clock 06-08 12:00"),
        ("pt-BR", BR, "08/06 às 16:45", "clock 06-08 16:45"),
        ("pt-BR", BR, "há duas horas gerei um vídeo", "clock 06-10 11:00 @UTC"),
        ("pt-BR", BR, "ontem entre as 14h e as 15h", "win 06-09 13:30..06-09 15:30"),
        ("pt-BR", BR, "anteontem de manhã", "win 06-08 05:00..06-08 12:00"),
        ("pt-BR", BR, "sexta passada às 20h, horário de Brasília", "clock 06-05 20:00"),
    ]);
}

#[test]
fn french() {
    check(&[
        ("fr-FR", FR, "hier à 14h06, pas de vidéo", "clock 06-09 14:06"),
        ("fr-FR", FR, "hier vers 9h et demie", "clock 06-09 09:30"),
        ("fr-FR", FR, "lundi à midi j'ai lancé une vidéo", "clock 06-08 12:00"),
        ("fr-FR", FR, "lundi 8 juin à 9 heures et quart", "clock 06-08 09:15"),
        ("fr-FR", FR, "le 8 juin à 20 h 45", "clock 06-08 20:45"),
        ("fr-FR", FR, "hier soir, rien", "win 06-09 18:00..06-10 00:00"),
        ("fr-FR", FR, "hier soir vers 22h", "clock 06-09 22:00"),
        ("fr-FR", FR, "ce matin à huit heures", "clock 06-10 08:00"),
        ("fr-FR", FR, "il y a deux heures", "clock 06-10 11:00 @UTC"),
        ("fr-FR", FR, "il y a trois jours j'ai lancé un clip", "win 06-07 00:00..06-08 00:00"),
        ("fr-FR", FR, "hier entre 14h et 15h", "win 06-09 13:30..06-09 15:30"),
        ("fr-CA", "America/Toronto", "hier après-midi", "win 06-09 12:00..06-09 18:00"),
        ("fr-CA", "America/Toronto", "hier à 15 h, heure de Paris", "clock 06-09 15:00 @Europe/Paris"),
        ("fr-FR", FR, "mardi dernier à dix heures moins le quart", "clock 06-09 09:45"),
        ("fr-FR", FR, "le 08/06/2026 à 14:30", "clock 06-08 14:30"),
        ("fr-FR", FR, "samedi matin", "win 06-06 05:00..06-06 12:00"),
    ]);
}

#[test]
fn japanese_chinese_korean() {
    check(&[
        ("ja-JP", JP, "昨日の午後3時ごろ、画像を生成しました", "clock 06-09 15:00"),
        ("ja-JP", JP, "6月8日 15時に動画を生成", "clock 06-08 15:00"),
        ("ja-JP", JP, "６月８日１５時３０分に生成", "clock 06-08 15:30"),
        ("ja-JP", JP, "2026年6月8日の午前9時半", "clock 06-08 09:30"),
        ("ja-JP", JP, "今朝7時に動画を作りました", "clock 06-10 07:00"),
        ("ja-JP", JP, "昨夜の11時ごろ", "clock 06-09 23:00"),
        ("ja-JP", JP, "昨夜、動画が出ませんでした", "win 06-09 20:00..06-10 06:00"),
        ("ja-JP", JP, "昨日の14時から15時の間に", "win 06-09 13:30..06-09 15:30"),
        ("ja-JP", JP, "3時間前に生成しました", "clock 06-10 10:00 @UTC"),
        ("ja-JP", JP, "2日前に生成しました", "win 06-08 00:00..06-09 00:00"),
        ("ja-JP", JP, "月曜日の夜8時", "clock 06-08 20:00"),
        ("ja-JP", JP, "一昨日の朝", "win 06-08 05:00..06-08 12:00"),
        ("ja-JP", JP, "2026/6/8 14:30", "clock 06-08 14:30"),
        ("ja-JP", JP, "6/8 14:30に実行", "clock 06-08 14:30"),
        ("ja-JP", JP, "昨日 15:30 頃", "clock 06-09 15:30"),
        ("ja-JP", JP, "昨日午後の3時", "clock 06-09 15:00"),
        ("zh-CN", "Asia/Shanghai", "昨天下午3点生成视频", "clock 06-09 15:00"),
        ("ko-KR", "Asia/Seoul", "어제 오후 3시 30분에 생성", "clock 06-09 15:30"),
    ]);
}

#[test]
fn italian_dutch_nordic_polish() {
    check(&[
        ("it-IT", "Europe/Rome", "ieri alle 15:20 ho generato un video", "clock 06-09 15:20"),
        ("it-IT", "Europe/Rome", "lunedì alle tre e mezza del pomeriggio", "clock 06-08 15:30"),
        ("it-IT", "Europe/Rome", "ieri sera", "win 06-09 18:00..06-10 00:00"),
        ("it-IT", "Europe/Rome", "l'8 giugno verso le 10", "clock 06-08 10:00"),
        ("nl-NL", "Europe/Amsterdam", "gisteren om half negen 's avonds heb ik een video gemaakt", "clock 06-09 20:30"),
        ("nl-NL", "Europe/Amsterdam", "maandag om 11.44 uur", "clock 06-08 11:44"),
        ("nl-NL", "Europe/Amsterdam", "gisteravond rond 22 uur", "clock 06-09 22:00"),
        ("nl-NL", "Europe/Amsterdam", "vanmorgen om kwart over negen", "clock 06-10 09:15"),
        ("sv-SE", "Europe/Stockholm", "igår kl. 14.30 startade jag en video", "clock 06-09 14:30"),
        ("nb-NO", "Europe/Oslo", "i går kveld klokka 21 kjørte jeg en video", "clock 06-09 21:00"),
        ("da-DK", "Europe/Copenhagen", "mandag kl. 10.15 og der kom ikke noget", "clock 06-08 10:15"),
        ("pl-PL", "Europe/Warsaw", "wczoraj o 15:20 i nie ma filmu", "clock 06-09 15:20"),
        ("pl-PL", "Europe/Warsaw", "w poniedziałek o godz. 9 rano", "clock 06-08 09:00"),
    ]);
}
