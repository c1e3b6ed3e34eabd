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
