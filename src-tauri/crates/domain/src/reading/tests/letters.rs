//! Whole letters as customers write them, with all that distracts in them.

use super::check;

#[test]
fn english_letters() {
    check(&[
        (
            "en-US",
            "America/Los_Angeles",
            "Nothing came back##Hey team, so on Friday night around 11:40 I hit run on a Hailuo 02 clip (prj_k2m4n6p8) for my daughter's birthday on Sunday. Charged 95, spinner forever. I have 1,405 credits left so it's not about that.",
            "clock 06-05 23:40; models Hailuo 02; amount 95; project prj_k2m4n6p8; count 1; topic missing",
        ),
        (
            "en-GB",
            "Europe/London",
            "Hi, yesterday at half four in the afternoon I ran Gen-4.5 twice in prj_aa11bb22 by mistake, the first worked fine, the second one never arrived. 180 credits each.",
            "clock 06-09 16:30; models Gen-4.5; amount 180; project prj_aa11bb22",
        ),
        (
            "en-US",
            "America/Chicago",
            "Both of my Kling 3.0 runs from Monday afternoon are gone, prj_zz99yy88. 480 credits in total. I need this by Friday!!",
            "win 06-08 12:00..06-08 18:00; models Kling 3.0; amount 240; count 2",
        ),
        (
            "en-AU",
            "Australia/Sydney",
            "G'day, ran a lip sync Tues 9 June 4.45pm AEST. Job ktask-ab12cd34ef says done but node's empty. 150 credits.",
            "clock 06-09 16:45; models lip sync; jobs ktask-ab12cd34ef; amount 150",
        ),
        (
            "en-IN",
            "Asia/Kolkata",
            "Respected sir, on 09/06/2026 at 10.15 am I have generated one image by nano banana pro. 18 credits deducted. Image not received till now. Kindly revert.",
            "clock 06-09 10:15; models nano banana pro; amount 18",
        ),
        (
            "en-US",
            "America/New_York",
            "There's a video of some random guy's wedding in my project prj_cc33dd44, it isn't mine. My Veo 3.1 clip from yesterday 6pm isn't there.",
            "topic foreign; clock 06-09 18:00; models Veo 3.1; project prj_cc33dd44",
        ),
        (
            "en-US",
            "America/New_York",
            "My annual plan renewed on June 1 and the 800 credits I bought in May are gone. Your invoice INV-20391 says they don't expire.",
            "topic billing; amount -; win -; models -",
        ),
        (
            "en-CA",
            "America/Toronto",
            "run_ab12cd34 shows Succeeded but the file is 0 bytes. Wan 2.5, 60 credits, Sunday June 7 2026 at 11:05 AM EDT",
            "runs run_ab12cd34; models Wan 2.5; amount 60; clock 06-07 11:05",
        ),
        (
            "en-US",
            "America/Denver",
            "three hours ago i ran seedance 2 and its at 0%. 130 credits gone",
            "clock 06-10 10:00 @UTC; models seedance 2; amount 130; count 1",
        ),
    ]);
}

#[test]
fn english_letters_continued() {
    check(&[
        (
            "en-GB",
            "Europe/Berlin",
            "Ran Veo 3 Fast on 3/6 between 10 and 11am, came out as a black frame. Cost me 120 credits, then I re-ran it with Kling 3 and that worked.",
            "win 06-03 09:30..06-03 11:30; models Veo 3 Fast; amount 120",
        ),
        (
            "en-US",
            "America/New_York",
            "pls help###Settings > Billing, rows: \"Kling 2.6 Pro\" -110 Jun 8 3:12 PM Charged",
            "clock 06-08 15:12; models Kling 2.6 Pro; amount 110",
        ),
        (
            "en-US",
            "America/New_York",
            "The storyboard batch of 4 images on June 7 at noon gave me only 3 images. 72 credits for the four.",
            "clock 06-07 12:00; amount 72; count 1",
        ),
    ]);
}

#[test]
fn german_letters() {
    check(&[
        (
            "de-DE",
            "Europe/Berlin",
            "Hallo, ich habe gestern Abend gegen Viertel vor acht mit Veo 3.1 ein Video im Projekt prj_k2m4n6p8 erzeugt. 320 Credits sind weg, Video ist keins da. Mein Guthaben beträgt noch 1.450 Credits. Abgabe ist am Freitag!",
            "clock 06-09 19:45; models Veo 3.1; amount 320; project prj_k2m4n6p8; count 1",
        ),
        (
            "de-AT",
            "Europe/Vienna",
            "Servus, am Dienstag, den 9.6., um 22:10 hab ich zwei Läufe mit Kling 3.0 gestartet, beide fehlgeschlagen. Je 240 Credits.",
            "clock 06-09 22:10; models Kling 3.0; amount 240; count 2",
        ),
        (
            "de-CH",
            "Europe/Zurich",
            "Grüezi, heute um zehn nach neun habe ich ein Bild mit Nano Banana generiert, 18 Credits. Jetzt ist es 15 Uhr und es ist immer noch nichts da.",
            "clock 06-10 09:10; models Nano Banana; amount 18",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "In der Nacht von Montag auf Dienstag um 1:30 Uhr lief Seedance 2.0 und brach ab. 130 Credits.",
            "clock 06-09 01:30; models Seedance 2.0; amount 130",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Ich habe am 1. Juni 500 Credits gekauft, die Zahlung wurde von meiner Kreditkarte abgebucht, aber die Credits sind nicht da. Bitte um Rechnung.",
            "topic billing; amount -; win -",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Auf meinem Canvas liegt ein Clip, der nicht von mir ist. Projekt prj_k2m4n6p8.",
            "topic foreign; project prj_k2m4n6p8; win -",
        ),
    ]);
}

#[test]
fn romance_letters() {
    check(&[
        (
            "es-ES",
            "Europe/Madrid",
            "Buenos días: el martes 9 de junio a las diez y media de la mañana lancé un vídeo con Kling 2.6 Pro en prj_k2m4n6p8. Me han cobrado 110 créditos y el nodo está vacío. Lo necesito para el viernes.",
            "clock 06-09 10:30; models Kling 2.6 Pro; amount 110; project prj_k2m4n6p8",
        ),
        (
            "es-AR",
            "America/Argentina/Buenos_Aires",
            "Hola! anoche tipo 11 corrí dos videos con hailuo y ninguno salió. 95 créditos cada uno.",
            "clock 06-09 23:00; models hailuo; amount 95; count 2",
        ),
        (
            "es-MX",
            "America/Mexico_City",
            "Veo que me cobraron 320 créditos el domingo 7 de junio a las 8:15 pm por Veo 3.1 y no hay nada.",
            "clock 06-07 20:15; models Veo 3.1; amount 320",
        ),
        (
            "pt-BR",
            "America/Sao_Paulo",
            "Boa tarde, ontem por volta das 20h30 gerei um vídeo no Seedance 2.0 (prj_k2m4n6p8), cobrou 130 créditos e não apareceu nada. Ainda tenho 870 créditos. Agora são 10h e continua carregando.",
            "clock 06-09 20:30; models Seedance 2.0; amount 130; project prj_k2m4n6p8",
        ),
        (
            "pt-PT",
            "Europe/Lisbon",
            "Na terça-feira à tarde gerei uma imagem com o flux kontext, 12 créditos, e nada.",
            "win 06-09 12:00..06-09 18:00; models flux kontext; amount 12",
        ),
        (
            "fr-FR",
            "Europe/Paris",
            "Bonjour, lundi dernier vers 16h30 j'ai lancé une vidéo avec Luma Ray3 dans prj_k2m4n6p8. 160 crédits débités et rien. Il est 15h et j'en ai besoin pour vendredi.",
            "clock 06-08 16:30; models Luma Ray3; amount 160; project prj_k2m4n6p8",
        ),
        (
            "fr-CA",
            "America/Toronto",
            "Hier soir à neuf heures et demie, Veo 3.1 Fast, 120 crédits, aucune vidéo. Projet « Publicité été ».",
            "clock 06-09 21:30; models Veo 3.1 Fast; amount 120; project Publicité été",
        ),
        ("fr-FR", "Europe/Paris", "Il y a dans mon projet une image qui n'est pas à moi.", "topic foreign"),
        (
            "it-IT",
            "Europe/Rome",
            "Salve, domenica alle 18:40 ho lanciato un video con Wan 2.5, mi sono stati addebitati 60 crediti ma non c'è niente. prj_k2m4n6p8",
            "clock 06-07 18:40; models Wan 2.5; amount 60; project prj_k2m4n6p8",
        ),
    ]);
}

#[test]
fn other_letters() {
    check(&[
        (
            "ja-JP",
            "Asia/Tokyo",
            "お世話になります。6月9日（火）の21時15分ごろ、Kling 3.0で動画を生成しましたが、240クレジット引かれただけで何も表示されません。残りは1,200クレジットです。プロジェクト：prj_k2m4n6p8",
            "clock 06-09 21:15; models Kling 3.0; amount 240; project prj_k2m4n6p8; count 1",
        ),
        (
            "ja-JP",
            "Asia/Tokyo",
            "昨晩、ナノバナナで2回画像を生成しましたが、2回とも失敗しました。クレジットは18ずつ引かれています。",
            "win 06-09 20:00..06-10 06:00; models ナノバナナ; amount 18; count 2",
        ),
        (
            "ja-JP",
            "Asia/Tokyo",
            "火曜日の午前10時に実行した動画が、別のプロジェクトにあります。",
            "clock 06-09 10:00; topic missing",
        ),
        (
            "nl-NL",
            "Europe/Amsterdam",
            "Hallo, gisteren om kwart voor vier 's middags heb ik Hailuo 02 gestart in prj_k2m4n6p8. 95 credits afgeschreven, geen video.",
            "clock 06-09 15:45; models Hailuo 02; amount 95; project prj_k2m4n6p8",
        ),
        (
            "sv-SE",
            "Europe/Stockholm",
            "Hej, i måndags kl 14.20 körde jag Veo 3.1 och fick ingenting. 320 krediter drogs.",
            "clock 06-08 14:20; models Veo 3.1; amount 320",
        ),
        (
            "pl-PL",
            "Europe/Warsaw",
            "Dzień dobry, we wtorek o 9:40 uruchomiłem Kling 2.6 Pro i nie dostałem filmu. Pobrano 110 kredytów.",
            "clock 06-09 09:40; models Kling 2.6 Pro; amount 110",
        ),
        (
            "ko-KR",
            "Asia/Seoul",
            "어제 오후 8시 20분에 Veo 3.1로 영상을 생성했는데 안 나왔어요. 320 크레딧이 차감됐습니다.",
            "clock 06-09 20:20; models Veo 3.1; amount 320",
        ),
        (
            "tr-TR",
            "Europe/Istanbul",
            "Seedance 2.0, 08.06.2026 14:25, prj_k2m4n6p8, 130 credits",
            "clock 06-08 14:25; models Seedance 2.0; amount 130",
        ),
        ("", "", "Kling 3.0 on June 8 at 3pm PST, prj_k2m4n6p8", "clock 06-08 15:00 @America/Los_Angeles"),
        ("de-DE", "Europe/Berlin", "Hi, I ran Veo 3.1 on 08.06. at 14:30 and got nothing", "clock 06-08 14:30"),
        (
            "en-US",
            "America/New_York",
            "Bonjour, hier à 15h j'ai lancé Kling 3, rien. 240 crédits",
            "clock 06-09 15:00; models Kling 3; amount 240",
        ),
    ]);
}
