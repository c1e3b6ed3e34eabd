//! Letters with unusual turns of phrase.

use super::check;

#[test]
fn turns_of_phrase() {
    check(&[
        ("en-GB", "Europe/London", "it was Tuesday, 9.20 in the evening", "clock 06-09 21:20"),
        ("en-GB", "Europe/London", "Tuesday 9.20 in the evening", "clock 06-09 21:20"),
        ("en-GB", "Europe/London", "Tuesday, 9.20", "clock 06-09 09:20"),
        ("en-US", "America/New_York", "My Tuesday 6pm Veo 3.1 run is a ghost.", "clock 06-09 18:00; models Veo 3.1"),
        (
            "en-US",
            "America/New_York",
            "Had a Kling 3.0 go missing (8 June, 6:05pm). Cost: 240 credits.",
            "clock 06-08 18:05; amount 240",
        ),
        (
            "en-US",
            "America/New_York",
            "What happened to run_ab12cd34? It took 160 credits at 11 last night.",
            "runs run_ab12cd34; amount 160; clock 06-09 23:00",
        ),
        ("en-US", "America/New_York", "Around 2 or 3 in the afternoon yesterday", "topic missing"),
        ("en-US", "America/New_York", "yesterday just before midnight", "clock 06-10 00:00"),
        ("en-US", "America/New_York", "at about quarter to 7 yesterday evening, hailuo", "clock 06-09 18:45"),
        (
            "en-US",
            "America/New_York",
            "I hit generate yesterday at 5:30 in the afternoon; by 6 there was still nothing",
            "clock 06-09 17:30",
        ),
        ("en-US", "America/New_York", "5 June 2026 (Fri) 22:10 ET", "clock 06-05 22:10"),
        ("en-US", "America/New_York", "On Sat. June 6, 2026, at 10:10 p.m. ET I ran Veo 3.1", "clock 06-06 22:10"),
        ("en-US", "America/New_York", "today, 45 minutes ago", "clock 06-10 12:15 @UTC"),
        ("en-US", "America/New_York", "I ran it this morning. Charged 95.", "win 06-10 05:00..06-10 12:00; amount 95"),
        ("en-GB", "Europe/London", "ran about an hour ago", "clock 06-10 12:00 @UTC"),
        (
            "en-GB",
            "Europe/London",
            "Bank holiday Monday aside, it was Tuesday, 9.20 in the evening",
            "clock 06-09 21:20",
        ),
        ("en-IN", "Asia/Kolkata", "yesterday night 11:30 PM I had run seedance", "clock 06-09 23:30"),
        ("en-IN", "Asia/Kolkata", "at 16:00 hrs on 8/6/26", "clock 06-08 16:00"),
        (
            "en-US",
            "America/New_York",
            "2 of them, both Kling 3, June 8, 3pm and 3:10pm, 240 each",
            "count 2; amount 240; clock 06-08 15:00",
        ),
        ("en-US", "America/New_York", "I was billed 2x for the same Kling clip", "count 2"),
        (
            "en-US",
            "America/New_York",
            "four separate Hailuo jobs, none delivered, 95 credits apiece",
            "count 4; amount 95",
        ),
        ("en-US", "America/New_York", "one of three runs is missing", "count 1"),
        ("en-US", "America/New_York", "I've got 12 clips on the canvas, the 13th is missing", "count 1; amount -"),
        ("de-DE", "Europe/Berlin", "heute um kurz nach 9 gestartet", "clock 06-10 09:00"),
        ("de-DE", "Europe/Berlin", "Samstagnacht um 1 Uhr", "clock 06-07 01:00"),
        ("de-DE", "Europe/Berlin", "am Sonntag um 12 Uhr mittags", "clock 06-07 12:00"),
        ("de-DE", "Europe/Berlin", "am 3. um 14 Uhr", "clock 06-03 14:00"),
        ("de-DE", "Europe/Berlin", "gestern so um fünf nachmittags", "clock 06-09 17:00"),
        ("fr-FR", "Europe/Paris", "hier à 21 h pile", "clock 06-09 21:00"),
        ("fr-FR", "Europe/Paris", "le 3 à 14h", "clock 06-03 14:00"),
        ("fr-FR", "Europe/Paris", "samedi soir vers dix heures", "clock 06-06 22:00"),
        ("es-ES", "Europe/Madrid", "ayer a las 22:15 h (hora peninsular)", "clock 06-09 22:15"),
        ("es-ES", "Europe/Madrid", "el 3 a las 14:00", "clock 06-03 14:00"),
        ("pt-BR", "America/Sao_Paulo", "sábado à noite, lá pelas 22h", "clock 06-06 22:00"),
        ("pt-BR", "America/Sao_Paulo", "hoje de manhã, Kling 2.6", "win 06-10 05:00..06-10 12:00"),
        ("ja-JP", "Asia/Tokyo", "今日の昼12時過ぎ", "clock 06-10 12:00"),
        ("ja-JP", "Asia/Tokyo", "昨日の深夜1時ごろ", "clock 06-10 01:00"),
        ("nl-NL", "Europe/Amsterdam", "afgelopen zaterdag om 20u15", "clock 06-06 20:15"),
        ("it-IT", "Europe/Rome", "sabato sera alle dieci", "clock 06-06 22:00"),
    ]);
}
