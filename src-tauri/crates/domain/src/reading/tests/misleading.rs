//! Letters in which the run's time, figure or model stands among others.

use super::check;

#[test]
fn english() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "Hi there. I have been a customer since March 2024. On June 8th at 9 in the evening I used Runway Gen-4.5 to render the opening (prj_aa11bb22) and the node shows nothing. 180 credits were deducted from my wallet. I topped up 500 on June 1st so I had enough.",
            "clock 06-08 21:00; models Runway Gen-4.5; amount 180; count 1; project prj_aa11bb22; topic missing",
        ),
        (
            "en-US",
            "America/New_York",
            "Last night at 10:47 PM I rendered a 12s Kling 3 clip. 480 credits. Still loading at 7:30 this morning.",
            "clock 06-09 22:47; models Kling 3; amount 480",
        ),
        (
            "en-US",
            "America/New_York",
            "It was charged on 06/08 at 8:02 PM, and again at 8:03 PM. Two rows, 110 each. One video.",
            "clock 06-08 20:02; count 2; amount 110",
        ),
        (
            "en-GB",
            "Europe/London",
            "Morning! The Ray3 run I set off on Sunday at 8 in the evening hasn't landed. It normally takes 5 minutes. 160 credits.",
            "clock 06-07 20:00; models Ray3; amount 160; topic missing",
        ),
        (
            "en-GB",
            "Europe/London",
            "Re: my ticket from Friday. You asked for the time: it was Thursday 4 June, 13:20. Project prj_aa11bb22.",
            "clock 06-04 13:20; project prj_aa11bb22",
        ),
        (
            "en-GB",
            "Europe/London",
            "You told me to wait 24 hours. I did. The Hailuo clip from Monday, 6.40pm, prj_aa11bb22 is neither there nor refunded (95).",
            "clock 06-08 18:40; models Hailuo; project prj_aa11bb22",
        ),
        (
            "en-GB",
            "Europe/London",
            "I deleted the project by mistake at 3pm yesterday while a Veo 3.1 run from 2:50pm was going. 320 credits.",
            "models Veo 3.1; amount 320",
        ),
        (
            "en-US",
            "America/Los_Angeles",
            "Cancelled it right away, Mon Jun 8, 1:15 PM, but 110 credits were taken for Kling 2.6 Pro",
            "clock 06-08 13:15; amount 110; models Kling 2.6 Pro",
        ),
        (
            "en-US",
            "America/Los_Angeles",
            "Generated at 11:58 PM on June 8 PT. Eleven v3 voice, 9 credits, no audio",
            "clock 06-08 23:58; amount 9; models Eleven v3",
        ),
    ]);
}

#[test]
fn english_continued() {
    check(&[
        (
            "en-US",
            "America/Los_Angeles",
            "My workspace owner says the pool was charged 130 for seedance yesterday at noon but nobody sees the clip",
            "clock 06-09 12:00; amount 130; models seedance",
        ),
        (
            "en-US",
            "America/Los_Angeles",
            "Look, it's simple: June 7, 4:44 pm, -240, Kling 3.0, nothing. Fix it by tomorrow 9am.",
            "clock 06-07 16:44; amount 240",
        ),
        (
            "en-AU",
            "Australia/Melbourne",
            "Arvo all. Ran wan 2.5 on the 9th at 3pm, 60 credits, no dice",
            "clock 06-09 15:00; models wan 2.5; amount 60",
        ),
        ("en-AU", "Australia/Perth", "9/6/26 3pm AWST", "clock 06-09 15:00"),
        ("en-CA", "America/Vancouver", "08/06/2026, 3:05 p.m. PDT, -95", "clock 06-08 15:05; amount 95"),
        (
            "en-PH",
            "Asia/Manila",
            "Good day po, yesterday 8PM Manila time, seedance pro, 130 credits nawala",
            "clock 06-09 20:00; models seedance pro; amount 130",
        ),
        (
            "en-NG",
            "Africa/Lagos",
            "Since Sunday by 2pm I generate one video with veo fast, 120 credits don go",
            "clock 06-07 14:00; models veo fast; amount 120",
        ),
        (
            "en-US",
            "America/New_York",
            "run failed ###Billing row \"Hailuo 02\", -95, Jun 8 14:10; row \"Veo 3.1\", -320, Jun 8 16:00, refunded",
            "clock 06-08 14:10; amount 95",
        ),
        (
            "en-US",
            "America/New_York",
            "Ran Hailuo yesterday. No output.###Settings > Billing: \"Hailuo 02 - 768p\" -95 Jun 9 2:14 PM; clock in menu bar 9:41 AM",
            "clock 06-09 14:14; amount 95; models Hailuo 02",
        ),
    ]);
}

#[test]
fn others() {
    check(&[
        (
            "de-DE",
            "Europe/Berlin",
            "Moin, der Kling-3-Lauf von Montag, 8. Juni, halb vier nachmittags ist verschwunden. Es wurden 240 Credits berechnet, ich habe noch 60. Heute Abend um 20 Uhr ist Abgabe!",
            "clock 06-08 15:30; models Kling-3; amount 240",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Gestern gegen 17 Uhr lief bei mir Veo 3.1 Fast durch, „Completed“, aber leer. Projekt: prj_aa11bb22. Kosten: 120 Credits.",
            "clock 06-09 17:00; models Veo 3.1 Fast; amount 120; project prj_aa11bb22",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Mein Kunde wartet seit Freitag. Lauf am Donnerstag 4.6. kurz vor 11 Uhr, Luma Ray3, 160 Credits.",
            "clock 06-04 11:00; models Luma Ray3; amount 160",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Am Wochenende, genauer am Samstag zwischen 10 und 11 Uhr, habe ich ein Bild mit Flux Kontext erstellt. 12 Credits.",
            "win 06-06 09:30..06-06 11:30; models Flux Kontext; amount 12",
        ),
        (
            "es-ES",
            "Europe/Madrid",
            "Buenas, ayer martes a las 16:40 lancé Seedance 2.0 en el proyecto prj_aa11bb22. Son ya las tres y sigue igual. 130 créditos, y solo me quedan 40.",
            "clock 06-09 16:40; models Seedance 2.0; amount 130",
        ),
        (
            "es-MX",
            "America/Mexico_City",
            "El viernes a las 7 de la noche hice un video con Kling 2.6 y no apareció, me quitaron 110 créditos",
            "clock 06-05 19:00; models Kling 2.6; amount 110",
        ),
        (
            "es-CO",
            "America/Bogota",
            "Hoy a las 6 y 20 de la mañana corrí Hailuo 02, 95 créditos, salió vacío",
            "clock 06-10 06:20; models Hailuo 02; amount 95",
        ),
        (
            "pt-BR",
            "America/Sao_Paulo",
            "No domingo, 7 de junho, por volta de 21h10, rodei o Kling 3.0 e o nó ficou vazio. Foram 240 créditos. Preciso para amanhã às 9h!",
            "clock 06-07 21:10; models Kling 3.0; amount 240",
        ),
        (
            "pt-BR",
            "America/Sao_Paulo",
            "cobraram 95 créditos duas vezes pelo mesmo vídeo do Hailuo hoje às 8h",
            "clock 06-10 08:00; amount 95; count 2; models Hailuo",
        ),
    ]);
}

#[test]
fn others_continued() {
    check(&[
        (
            "pt-PT",
            "Europe/Lisbon",
            "Boa noite, ontem às nove e meia da manhã gerei um vídeo com o Luma Ray3, foram debitados 160 créditos.",
            "clock 06-09 09:30; amount 160; models Luma Ray3",
        ),
        (
            "fr-FR",
            "Europe/Paris",
            "Depuis dimanche j'attends mon clip Veo 3.1 lancé à 18h20 (prj_aa11bb22). On m'a prélevé 320 crédits, il m'en reste 80.",
            "clock 06-07 18:20; models Veo 3.1; amount 320",
        ),
        (
            "fr-BE",
            "Europe/Brussels",
            "Le 05/06 vers midi, Wan 2.5, 60 crédits, rien du tout",
            "clock 06-05 12:00; amount 60; models Wan 2.5",
        ),
        (
            "it-IT",
            "Europe/Rome",
            "Buongiorno, ieri mattina verso le nove e un quarto ho fatto un'immagine con Nano Banana Pro: 18 crediti scalati e niente immagine.",
            "clock 06-09 09:15; models Nano Banana Pro; amount 18",
        ),
        (
            "nl-BE",
            "Europe/Brussels",
            "Zondag om half acht 's avonds Ray3 gestart, 160 credits kwijt, niks gekregen",
            "clock 06-07 19:30; models Ray3; amount 160",
        ),
        (
            "sv-SE",
            "Europe/Stockholm",
            "Igår kväll vid halv nio gjorde jag en bild med Nano Banana, 18 krediter, ingen bild",
            "clock 06-09 20:30; amount 18; models Nano Banana",
        ),
        (
            "nb-NO",
            "Europe/Oslo",
            "Mandag 8. juni kl 21.05, Kling 3.0, 240 kreditter, ingen video",
            "clock 06-08 21:05; amount 240; models Kling 3.0",
        ),
        (
            "pl-PL",
            "Europe/Warsaw",
            "W niedzielę wieczorem o 20:15 zrobiłam film w Seedance 2.0, 130 kredytów, nic nie przyszło",
            "clock 06-07 20:15; amount 130; models Seedance 2.0",
        ),
        (
            "ja-JP",
            "Asia/Tokyo",
            "本日10時30分にVeo 3.1で動画を生成しました。320クレジット消費されましたが、現在22時になっても表示されません。",
            "clock 06-10 10:30; models Veo 3.1; amount 320",
        ),
    ]);
}

#[test]
fn others_concluded() {
    check(&[
        (
            "ja-JP",
            "Asia/Tokyo",
            "日曜の夜9時半ごろ、Seedance 2.0（prj_aa11bb22）で生成。クレジットは130引かれています。金曜日までに必要です。",
            "clock 06-07 21:30; models Seedance 2.0; amount 130; project prj_aa11bb22",
        ),
        (
            "ja-JP",
            "America/Los_Angeles",
            "昨日の午後4時（太平洋時間）にKling 3で生成",
            "clock 06-09 16:00; models Kling 3",
        ),
        (
            "zh-TW",
            "Asia/Taipei",
            "昨天晚上9點20分用 Kling 3.0 生成影片，扣了 240 點數，沒有結果",
            "clock 06-09 21:20; models Kling 3.0; amount 240",
        ),
        (
            "ko-KR",
            "Asia/Seoul",
            "월요일 오전 10시 30분에 나노바나나 말고 Seedance 2.0 돌렸는데 130 크레딧만 빠졌어요",
            "clock 06-08 10:30; models Seedance 2.0; amount 130",
        ),
    ]);
}
