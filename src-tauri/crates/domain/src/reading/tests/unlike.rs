//! Short and careless letters, unlike each other.

use super::check;

#[test]
fn careless() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "refund pls. veo, tues 9pm, -320, prj_aa11bb22",
            "clock 06-09 21:00; amount 320; models veo",
        ),
        (
            "en-US",
            "America/New_York",
            "kling ran forever then nothing. charged 240. ~4:30p yesterday",
            "clock 06-09 16:30; amount 240; models kling",
        ),
        (
            "en-US",
            "America/New_York",
            "Yesterday. 2 PM. Hailuo. 95 credits. Nothing.",
            "clock 06-09 14:00; amount 95; models Hailuo",
        ),
        ("en-US", "America/New_York", "Where's my clip?? Started 9.15 pm Monday", "clock 06-08 21:15"),
        (
            "en-US",
            "America/New_York",
            "June 8 2026 @ 14:22 UTC, gen-4.5, run run_zz99xx88",
            "clock 06-08 14:22 @UTC; runs run_zz99xx88; models gen-4.5",
        ),
        ("en-US", "America/New_York", "06/08 2:22p ET Seedance2.0", "clock 06-08 14:22; models Seedance2.0"),
        (
            "en-GB",
            "Europe/London",
            "Tues just gone, about teatime, Kling 3",
            "win 06-09 00:00..06-10 00:00; models Kling 3",
        ),
        (
            "en-GB",
            "Europe/London",
            "the day before yesterday in the evening, Luma",
            "win 06-08 18:00..06-09 00:00; models Luma",
        ),
        ("en-GB", "Europe/London", "8th June, half past seven pm", "clock 06-08 19:30"),
        ("en-GB", "Europe/London", "about half two yesterday afternoon", "clock 06-09 14:30"),
        ("en-GB", "Europe/London", "twenty five to nine on Monday morning", "clock 06-08 08:35"),
        ("en-GB", "Europe/London", "first thing Monday, 7ish", "clock 06-08 07:00"),
        ("en-GB", "Europe/London", "Monday 15.00 to 15.30, node Sky", "win 06-08 14:30..06-08 16:00"),
        ("en-GB", "Europe/London", "on 13/05 at 10:00, Wan 2.5", "clock 05-13 10:00"),
        ("en-US", "America/New_York", "on 05/13 at 10:00, Wan 2.5", "clock 05-13 10:00"),
        ("en-US", "America/New_York", "on 04/05 at 10:00", "clock 04-05 10:00"),
        ("en-AU", "Australia/Sydney", "on 04/05 at 10:00", "clock 05-04 10:00"),
        ("en-CA", "America/Toronto", "2026-06-08 at 10:00", "clock 06-08 10:00"),
        ("ja-JP", "Asia/Tokyo", "2026/06/08 10:00頃", "clock 06-08 10:00"),
        ("en-US", "America/New_York", "03/08/2026 at 2:30 AM EST", "clock 03-08 03:30"),
        ("en-GB", "Europe/London", "29 March 2026, 01:30", "clock 03-29 02:30"),
    ]);
}

#[test]
fn careless_continued() {
    check(&[
        ("en-US", "America/New_York", "charged 32O credits", "amount -"),
        ("en-US", "America/New_York", "credits: 1405 -> 1085 after the Veo 3.1 run", "models Veo 3.1"),
        ("en-US", "America/New_York", "Charge of 320, no video", "amount 320"),
        ("en-US", "America/New_York", "A 320-credit Veo run vanished", "amount 320; models Veo"),
        ("en-US", "America/New_York", "320 gone for nothing", "amount 320"),
        ("en-US", "America/New_York", "I want my 95 back", "amount 95"),
        ("en-US", "America/New_York", "you owe me 95 credits", "amount 95"),
        ("de-DE", "Europe/Berlin", "Kosten 240, Ergebnis null", "amount 240"),
        ("de-DE", "Europe/Berlin", "-240 Credits am 8.6. um 15:04", "amount 240; clock 06-08 15:04"),
        ("es-ES", "Europe/Madrid", "-240, 8 jun 15:04, Kling 3.0", "amount 240; clock 06-08 15:04"),
        ("fr-FR", "Europe/Paris", "-240, 8 juin 15:04, Kling 3.0", "amount 240; clock 06-08 15:04"),
        ("pt-BR", "America/Sao_Paulo", "-240, 8 de jun. 15:04, Kling 3.0", "amount 240; clock 06-08 15:04"),
        ("nl-NL", "Europe/Amsterdam", "-240, 8 jun 15:04, Kling 3.0", "amount 240; clock 06-08 15:04"),
        ("pl-PL", "Europe/Warsaw", "-240, 8 cze 15:04, Kling 3.0", "amount 240; clock 06-08 15:04"),
        (
            "de-DE",
            "Europe/Berlin",
            "siehe Bild###Abrechnung, Zeile „Veo 3.1“, −320, 08.06.2026 15:04, kein Erstattungseintrag",
            "amount 320; clock 06-08 15:04; models Veo 3.1",
        ),
        (
            "ja-JP",
            "Asia/Tokyo",
            "画像を見てください###請求画面：「Kling 3.0」 -240 6月8日 15:04",
            "amount 240; clock 06-08 15:04; models Kling 3.0",
        ),
        (
            "en-US",
            "America/New_York",
            "see shot###Canvas with tab title \"Winter film\", node \"Take 2\", spinner",
            "project Winter film; win -",
        ),
        (
            "en-US",
            "America/New_York",
            "My Client X film has a hole, Kling 2.6 on June 8 at noon",
            "clock 06-08 12:00; models Kling 2.6",
        ),
    ]);
}

#[test]
fn workspaces_nodes_and_names() {
    check(&[
        (
            "en-GB",
            "Europe/London",
            "I'm an editor at Blue Door. Ran Kling 3.0 in the agency workspace (prj_aa11bb22) Tuesday 11:15, it failed, 240 credits from the pool. Please put it on my personal wallet which has 75.",
            "clock 06-09 11:15; amount 240; models Kling 3.0; topic missing",
        ),
        (
            "en-US",
            "America/New_York",
            "Same problem as ticket 10233! Kling 2.6 Pro, June 8, 12:00 Rome time, prj_aa11bb22, 110 credits, no video.",
            "clock 06-08 12:00 @Europe/Rome; amount 110; models Kling 2.6 Pro",
        ),
        (
            "en-US",
            "America/New_York",
            "The image landed in the wrong project: I ran flux kontext in Winter film today at 7:45 and it is in Reel.",
            "clock 06-10 07:45; models flux kontext; project Winter film",
        ),
        (
            "en-US",
            "America/New_York",
            "my storage was full (4.9 of 5 GB), the Veo 3.1 run from yesterday 15:10 couldn't save. I freed 2 GB.",
            "clock 06-09 15:10; models Veo 3.1; amount -; count 1",
        ),
        (
            "en-US",
            "America/New_York",
            "The safety filter blocked my Veo 3.1 prompt yesterday at 3:15pm, still -320.",
            "clock 06-09 15:15; amount 320",
        ),
        (
            "en-US",
            "America/New_York",
            "Deleted project prj_aa11bb22 at 4pm Monday, the Hailuo run in it had started 3:58pm. 95 gone.",
            "models Hailuo; amount 95; project prj_aa11bb22",
        ),
        (
            "en-US",
            "America/New_York",
            "The refund of 320 you gave me on June 8 came, and now the clip appeared too? Run was June 7 at 6pm, Veo 3.1",
            "clock 06-07 18:00; models Veo 3.1; amount 320",
        ),
        (
            "en-US",
            "America/New_York",
            "HELP lip sync run, charged 150, the mp4 is corrupted, June 9th 5:05PM",
            "clock 06-09 17:05; amount 150; models lip sync; topic missing",
        ),
        (
            "en-US",
            "America/New_York",
            "My trial ended but that's fine. What isn't: Kling 3 on Monday at 1:30 in the afternoon, 240 credits, nothing.",
            "clock 06-08 13:30; amount 240; topic missing",
        ),
    ]);
}

#[test]
fn workspaces_nodes_and_names_continued() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "I paid for the Pro plan and my very first run (Seedance, today 8am) shows nothing. 130 credits",
            "clock 06-10 08:00; amount 130; topic missing; models Seedance",
        ),
        ("en-US", "America/New_York", "since this morning's 8:20 run my node is blank", "clock 06-10 08:20"),
        (
            "en-US",
            "America/New_York",
            "it worked on Sunday but Monday's run at 10:20am did not, Kling pro",
            "clock 06-08 10:20; models Kling pro",
        ),
        ("en-US", "America/New_York", "run one at 9:00am Monday fine, run two at 9:30am Monday empty", "topic missing"),
        (
            "de-DE",
            "Europe/Berlin",
            "Ich bin nicht mehr im Workspace „Düne“, aber am Montag um 12:20 Uhr habe ich dort noch Hailuo gestartet, 95 Credits.",
            "clock 06-08 12:20; amount 95; models Hailuo",
        ),
        (
            "de-DE",
            "Europe/Berlin",
            "Im Projekt Winter film fehlt seit gestern 18:30 Uhr das Kling-Video",
            "clock 06-09 18:30; models Kling; project Winter film",
        ),
        (
            "fr-FR",
            "Europe/Paris",
            "dans le projet Winter film, hier 18h30, Kling pro, le nœud « Plan 3 » est vide",
            "clock 06-09 18:30; models Kling pro; project Winter film",
        ),
        (
            "es-ES",
            "Europe/Madrid",
            "en el proyecto \"Aceite\" el nodo \"Toma 2\" está vacío desde ayer a las 18:30 (Seedance 2)",
            "clock 06-09 18:30; models Seedance 2; project Aceite",
        ),
        (
            "pt-BR",
            "America/Sao_Paulo",
            "projeto \"Café\" – ontem 18h30 – Hailuo 02 – 95 créditos",
            "clock 06-09 18:30; models Hailuo 02; amount 95; project Café",
        ),
        (
            "ja-JP",
            "Asia/Tokyo",
            "ロゴ案というプロジェクトで、昨日18時30分にナノバナナ",
            "clock 06-09 18:30; models ナノバナナ; project ロゴ案",
        ),
        (
            "it-IT",
            "Europe/Rome",
            "nel progetto \"Gelato\", ieri alle 18.30, Kling 2.6, 110 crediti",
            "clock 06-09 18:30; models Kling 2.6; amount 110; project Gelato",
        ),
    ]);
}
