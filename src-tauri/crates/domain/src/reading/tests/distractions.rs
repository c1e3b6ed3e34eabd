//! More letters: what distracts, misleads and is left out.

use super::check;

#[test]
fn odd_english() {
    check(&[
        ("en-US", "America/New_York", "Ran it at 2:05 yesterday on Veo 3.1", "clock 06-09 14:05"),
        ("en-US", "America/New_York", "6/9 2:30PM Kling 3.0 -240 Charged, no video", "clock 06-09 14:30; amount 240"),
        (
            "en-US",
            "America/New_York",
            "The clip I ran (June 9, 2:30 PM) is missing; I was charged 240.",
            "clock 06-09 14:30; amount 240",
        ),
        (
            "en-US",
            "America/New_York",
            "Time: 2:30 PM\nDate: 06/09/2026\nModel: Kling 3.0\nProject: prj_aa11bb22\nCredits: 240",
            "clock 06-09 14:30; amount 240; models Kling 3.0; project prj_aa11bb22",
        ),
        (
            "en-US",
            "America/New_York",
            "Project prj_aa11bb22 / Seedance 2.0 / Jun 9 14:30 ET / 130cr / nothing",
            "clock 06-09 14:30; amount 130; models Seedance 2.0",
        ),
        (
            "en-GB",
            "Europe/London",
            "Kicked it off yesterday lunchtime, Hailuo",
            "win 06-09 12:00..06-09 18:00; models Hailuo",
        ),
        ("en-GB", "Europe/London", "It was the early hours of Tuesday, about 2am", "clock 06-09 02:00"),
        ("en-GB", "Europe/London", "Sunday at 10 past 3 in the afternoon", "clock 06-07 15:10"),
        ("en-GB", "Europe/London", "At 19:05 on Monday evening BST", "clock 06-08 19:05"),
        ("en-GB", "Europe/London", "on the 8th of June 2026 at five in the afternoon", "clock 06-08 17:00"),
        (
            "en-US",
            "America/New_York",
            "I ran three Veo 3.1 clips Tuesday night and none of them showed up. 320 each",
            "count 3; amount 320; win 06-09 20:00..06-10 06:00",
        ),
        ("en-US", "America/New_York", "Out of two runs one failed", "amount -"),
        (
            "en-US",
            "America/New_York",
            "I pressed Run once but was billed two times, 240 and 240",
            "count 2; amount 240",
        ),
        ("en-US", "America/New_York", "Your support promised me 500 credits. The failed run cost 95.", "amount 95"),
        ("en-US", "America/New_York", "Charged 320 but only 160 came back", "amount 320"),
        ("en-US", "America/New_York", "95 credits down the drain", "amount 95"),
        ("en-US", "America/New_York", "it deducted 95cr from my 2000 credit plan", "amount 95"),
        ("en-US", "America/New_York", "The usage row says -1,280", "amount 1280"),
        (
            "en-US",
            "America/New_York",
            "a 10s 1080p 16:9 clip at 24fps, 3 shots, seed 48213",
            "amount -; win -; count 1",
        ),
    ]);
}

#[test]
fn odd_english_continued() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "not refunded, 24 hours later, it's been 3 days, I want 100% back",
            "amount -; win -",
        ),
        ("en-US", "America/New_York", "I saw it fail around 8 ET this morning", "clock 06-10 08:00"),
        ("en-US", "America/New_York", "Failed on May 31st at 11:59 PM", "clock 05-31 23:59"),
        ("en-US", "America/New_York", "12:30am today", "clock 06-10 00:30"),
        ("en-US", "America/New_York", "12am on June 9", "clock 06-09 00:00"),
        ("en-US", "America/New_York", "12 noon on June 9", "clock 06-09 12:00"),
        ("en-US", "America/New_York", "at 23:30 last night", "clock 06-09 23:30"),
        ("en-US", "America/New_York", "at 0:30 last night", "clock 06-10 00:30"),
        ("en-US", "America/New_York", "Sunday, sometime in the evening", "win 06-07 18:00..06-08 00:00"),
        ("en-US", "America/New_York", "early Monday morning, like 6:45", "clock 06-08 06:45"),
        ("en-US", "America/New_York", "Mon 06/08 06:45 AM", "clock 06-08 06:45"),
        ("en-US", "America/New_York", "Kling from Tue 9 Jun", "win 06-09 00:00..06-10 00:00"),
        ("en-US", "America/New_York", "run on 2026-06-08", "win 06-08 00:00..06-09 00:00"),
        ("en-US", "America/New_York", "20260608 is my order number", "win -"),
    ]);
}

#[test]
fn odd_others() {
    check(&[
        ("de-DE", "Europe/Berlin", "Um 9 Uhr heute Morgen gestartet", "clock 06-10 09:00"),
        ("de-DE", "Europe/Berlin", "Heute Nacht gegen halb drei gestartet", "clock 06-10 02:30"),
        (
            "de-DE",
            "Europe/Berlin",
            "am 9.6. 14:30, Kling 3, 240 Credits",
            "clock 06-09 14:30; amount 240; models Kling 3",
        ),
        ("de-DE", "Europe/Berlin", "09.06.26 14:30", "clock 06-09 14:30"),
        ("de-DE", "Europe/Berlin", "Montagabend gegen 20 Uhr", "clock 06-08 20:00"),
        ("de-DE", "Europe/Berlin", "Montagnachmittag ein Video erstellt", "win 06-08 12:00..06-08 18:00"),
        ("de-DE", "Europe/Berlin", "gestern um drei viertel drei nachmittags", "clock 06-09 14:45"),
        ("de-DE", "Europe/Berlin", "seit 3 Tagen warte ich, 3 von 4 Clips sind da", "win -; count 1"),
        ("de-DE", "Europe/Berlin", "Mittwoch letzter Woche um 11 Uhr", "clock 06-03 11:00"),
        ("de-DE", "Europe/Berlin", "Dienstag 9. Juni 2026, ca. 16:10 Uhr MESZ", "clock 06-09 16:10"),
        ("de-DE", "Europe/Berlin", "gestern um 16 Uhr 10", "clock 06-09 16:10"),
        ("de-DE", "Europe/Berlin", "Mir wurden zweimal 240 Credits abgebucht", "count 2; amount 240"),
        ("es-ES", "Europe/Madrid", "el 08/06 sobre las 17.30", "clock 06-08 17:30"),
        ("es-ES", "Europe/Madrid", "a las 17:30h del lunes", "clock 06-08 17:30"),
        ("es-MX", "America/Mexico_City", "el lunes como a las 5 y media p.m.", "clock 06-08 17:30"),
        ("es-MX", "America/Mexico_City", "ayer a medianoche", "clock 06-10 00:00"),
        ("es-ES", "Europe/Madrid", "el lunes por la noche", "win 06-08 20:00..06-09 06:00"),
        ("es-ES", "Europe/Madrid", "me cobraron -120 y luego otra vez -120, dos cargos", "amount 120; count 2"),
        ("es-CL", "America/Santiago", "El domingo 7 a las 21:00 hrs", "clock 06-07 21:00"),
        ("pt-BR", "America/Sao_Paulo", "dia 8 às 15h, 130 créditos", "clock 06-08 15:00; amount 130"),
        ("pt-BR", "America/Sao_Paulo", "ontem ao meio-dia e meia", "clock 06-09 12:30"),
        ("pt-BR", "America/Sao_Paulo", "hoje cedo, às 8 e pouco da manhã", "clock 06-10 08:00"),
        ("pt-BR", "America/Sao_Paulo", "terça às 15:10h", "clock 06-09 15:10"),
        ("pt-BR", "America/Sao_Paulo", "na madrugada de terça, às 2h", "clock 06-09 02:00"),
        ("fr-FR", "Europe/Paris", "mardi 9 juin 2026 à 16h10 (heure de Paris)", "clock 06-09 16:10"),
        ("fr-FR", "Europe/Paris", "hier, 16 h 10, Kling 3.0, 240 crédits", "clock 06-09 16:10; amount 240"),
        ("fr-FR", "Europe/Paris", "avant-hier en fin d'après-midi", "win 06-08 12:00..06-08 18:00"),
        ("fr-FR", "Europe/Paris", "dans la nuit de lundi à mardi vers 1h30", "clock 06-09 01:30"),
        ("fr-FR", "Europe/Paris", "lundi à 7 heures du soir", "clock 06-08 19:00"),
        ("fr-FR", "Europe/Paris", "ça fait 3 jours, 2 clips sur 3", "win -; count 1"),
        ("it-IT", "Europe/Rome", "ieri sera alle 9", "clock 06-09 21:00"),
        ("it-IT", "Europe/Rome", "martedì 9 giugno alle ore 16:10", "clock 06-09 16:10"),
        ("it-IT", "Europe/Rome", "due ore fa", "clock 06-10 11:00 @UTC"),
        ("nl-NL", "Europe/Amsterdam", "dinsdag 9 juni om 16.10 uur", "clock 06-09 16:10"),
        ("nl-NL", "Europe/Amsterdam", "gisteren tussen 14 en 15 uur", "win 06-09 13:30..06-09 15:30"),
        ("ja-JP", "Asia/Tokyo", "6/9(火) 21:15", "clock 06-09 21:15"),
        ("ja-JP", "Asia/Tokyo", "昨日の夕方6時頃", "clock 06-09 18:00"),
        ("ja-JP", "Asia/Tokyo", "昨日の夜、動画を生成", "win 06-09 20:00..06-10 06:00"),
        ("ja-JP", "Asia/Tokyo", "6月9日の午後", "win 06-09 12:00..06-09 18:00"),
        ("ja-JP", "Asia/Tokyo", "6月9日", "win 06-09 00:00..06-10 00:00"),
        ("ja-JP", "Asia/Tokyo", "9日の午前0時30分", "clock 06-09 00:30"),
        ("ja-JP", "Asia/Tokyo", "先週の金曜日13時", "clock 06-05 13:00"),
        ("ja-JP", "Asia/Tokyo", "昨日三時半ごろ、日本時間", "clock 06-09 03:30"),
        ("ja-JP", "Asia/Tokyo", "Veo 3.1 Fastで8秒の動画、120クレジット消費", "amount 120; models Veo 3.1 Fast; win -"),
        ("zh-CN", "Asia/Shanghai", "6月9日晚上8点半", "clock 06-09 20:30"),
        ("da-DK", "Europe/Copenhagen", "i går kl. 14.30 kørte jeg Kling 3", "clock 06-09 14:30"),
    ]);
}

#[test]
fn odd_references() {
    check(&[
        ("en-US", "UTC", "project: Winter film, model: Kling 3", "project Winter film; models Kling 3"),
        ("en-US", "UTC", "Project name: Harbour doc\nModel: Veo 3.1 (1080p)", "project Harbour doc; models Veo 3.1"),
        ("en-US", "UTC", "my project called 'Harbour doc'", "project Harbour doc"),
        ("en-US", "UTC", "in our \"Harbour doc\" project", "project Harbour doc"),
        ("en-US", "UTC", "prj_aa11bb22 (not prj_cc33dd44)", "project prj_aa11bb22"),
        ("en-US", "UTC", "prj-aa11bb22", "project prj-aa11bb22"),
        ("en-US", "UTC", "Prj_Aa11Bb22.", "project Prj_Aa11Bb22"),
        ("en-US", "UTC", "request_id: req_9f8e7d6c5b4a", "jobs req_9f8e7d6c5b4a"),
        (
            "en-US",
            "UTC",
            "job id lum-0k837r3pga, run run_rca2k75a, prj_wyrmq5b9",
            "jobs lum-0k837r3pga; runs run_rca2k75a; project prj_wyrmq5b9",
        ),
        ("en-US", "UTC", "file IMG-20260608-WA0012.jpg", "jobs -"),
        ("en-US", "UTC", "Kling 2.6 Pro and Veo 3.1 runs both failed", "models Kling 2.6 Pro|Veo 3.1; count 2"),
        ("en-US", "UTC", "veo-3.1-fast", "models veo-3.1-fast; jobs -"),
        ("en-US", "UTC", "gemini-3-pro-image picture", "models gemini-3-pro-image; jobs -"),
        ("en-US", "UTC", "KLING 3.0 PRO", "models KLING 3.0"),
        ("en-US", "UTC", "Seedance V2", "models Seedance V2"),
        ("en-US", "UTC", "Hailuo-02 (768p)", "models Hailuo-02"),
        ("en-US", "UTC", "Nano Banana image", "models Nano Banana"),
        ("en-US", "UTC", "the lipsync one", "models lipsync"),
        ("de-DE", "UTC", "mit Kling-3.0-Modell", "models Kling-3.0"),
        ("de-DE", "UTC", "in diesem Kontext: Veo 3.1", "models Veo 3.1"),
        ("fr-FR", "UTC", "un flux de travail avec Ray 3", "models Ray 3"),
        ("en-US", "UTC", "I used Gen 4.5 from Runway", "models Gen 4.5"),
        ("en-US", "UTC", "Google Veo clip", "models Google Veo"),
        ("ja-JP", "UTC", "Kling3.0の動画", "models Kling3.0"),
    ]);
}
