//! Where two rules meet: a day beside a dash, a count beside a figure, an id beside a full stop.

use super::check;

const NY: &str = "America/New_York";

#[test]
fn days_and_times_that_touch() {
    check(&[
        ("en-US", NY, "Veo 3.1 - June 9 - 6:15pm - no clip", "clock 06-09 18:15"),
        ("en-US", NY, "june 9 ~13:20 EST, 4 shots", "clock 06-09 13:20"),
        ("en-US", NY, "June 9, 3:15 - 3:45 PM", "win 06-09 14:45..06-09 16:15"),
        ("en-US", NY, "June 9, 11:30 - 1 PM", "win 06-09 11:00..06-09 13:30"),
        ("en-US", NY, "June 9 14:00 - 15:00", "win 06-09 13:30..06-09 15:30"),
        ("en-US", NY, "with nano banana (sunday, 5 in the evening)", "clock 06-07 17:00"),
        ("en-US", NY, "Monday ~2p, nothing came", "clock 06-08 14:00"),
        (
            "en-GB",
            "Europe/London",
            "Yesterday, somewhere between half nine and half ten in the morning",
            "win 06-09 09:00..06-09 11:00; clock -",
        ),
        ("fr-FR", "Europe/Paris", "Dimanche, entre midi et 13h", "win 06-07 11:30..06-07 13:30; clock -"),
        (
            "de-DE",
            "Europe/Berlin",
            "Am Montag zwischen halb neun und neun Uhr morgens",
            "win 06-08 08:00..06-08 09:30; clock -",
        ),
        ("it-IT", "Europe/Rome", "Lunedì 8 giugno, ore 18, Kling 3.0", "clock 06-08 18:00"),
        ("it-IT", "Europe/Rome", "Due video sabato sera con Hailuo", "win 06-06 18:00..06-07 00:00; count 2"),
        ("ja-JP", "Asia/Tokyo", "月曜日の正午に生成した動画が届きません", "clock 06-08 12:00"),
        ("nl-NL", "Europe/Amsterdam", "Op 08-06 om 9:00 gestart", "clock 06-08 09:00"),
        ("en-GB", "Europe/London", "Ten past midnight on Tuesday", "clock 06-09 00:10"),
        ("en-GB", "Europe/London", "at midnight on Tuesday", "clock 06-09 00:00"),
        ("it-IT", "Europe/Rome", "martedì 9/6 h 17:15", "clock 06-09 17:15"),
        ("ja-JP", "Asia/Tokyo", "6月9日（火）夕方", "win 06-09 18:00..06-10 00:00"),
        ("en-AU", "Australia/Sydney", "Monday arvo at 3:40", "clock 06-08 15:40"),
    ]);
}

#[test]
fn ids_that_touch_other_text() {
    check(&[
        ("en-US", NY, "Job op-ab12cd34ef. Please check.", "jobs op-ab12cd34ef"),
        ("en-US", NY, "the download was clip-ab12cd34ef.mp4", "jobs -"),
        ("nl-NL", "Europe/Amsterdam", "Op 7-6-2026 om 13.05 uur", "jobs -; clock 06-07 13:05"),
        ("en-US", NY, "my request 2026-06-08 at 10:00", "jobs -; clock 06-08 10:00"),
    ]);
}

#[test]
fn figures_and_counts() {
    check(&[
        ("en-US", NY, "Can I have the clip or the 320 credits?", "amount 320"),
        ("en-US", NY, "Could I have my 320 credits back please", "amount 320"),
        ("en-US", NY, "I have 320 credits", "amount -"),
        ("en-US", NY, "It should be 240, not 480!", "amount 240"),
        ("en-US", NY, "I've 1200 credits left, was 1310.", "amount -"),
        ("en-US", NY, "Balance was 900, is now 580, so 320 went on a run", "amount 320"),
        ("en-US", NY, "Two -240 rows in Billing for one video", "amount 240; count 2"),
        ("en-US", NY, "240 a pop, all three gone", "amount 240"),
        ("en-US", NY, "June 8, 6 PM. Kling 3.0. 240.", "amount 240"),
        ("en-US", NY, "I got 33 credits back for one image. 100 credits for the set.", "amount 100"),
        ("en-GB", NY, "Ray3 on Friday at 8 pm, 160", "amount 160"),
        ("en-US", NY, "Run of May 30, 5 PM, Veo 3.1, 320. It failed.", "amount 320"),
        ("de-DE", "Europe/Berlin", "Am Montag, 15. Juni", "amount -"),
        ("en-US", NY, "Ray3 at 8 pm on June 8, 2026. Nothing.", "amount -"),
        ("en-US", NY, "Ray3 at 8 pm on June 8, 2026", "amount -"),
        ("en-US", NY, "charged 480 for one clip, should be 240", "amount 240"),
        ("en-US", NY, "Four images requested, two delivered", "count 1"),
        ("ja-JP", "Asia/Tokyo", "見て###請求画面：「Seedance 2.0」、-130、6月9日 21:20", "amount 130"),
        ("en-US", NY, "double charged, 240 twice", "amount 240; count 2"),
        ("en-US", NY, "You refunded 240 and took it back", "amount 240"),
        ("en-US", NY, "I need help with two missing outputs.", "count 2"),
        ("en-US", NY, "one run with two clips, both black", "count 1"),
        ("en-US", NY, "Two voiceovers are silent", "count 2"),
        ("ja-JP", "Asia/Tokyo", "Kling 3.0で2本生成、どちらも失敗", "count 2"),
    ]);
}

#[test]
fn whose_file_it_is() {
    let rows = [
        ("A node shows a woman I've never seen before, this isn't from my account.", "foreign"),
        ("There is a clip we never made on our canvas", "foreign"),
        ("Une vidéo qui ne m'appartient pas est apparue", "foreign"),
        ("Hay un clip ajeno en mi proyecto, yo no lo he generado.", "foreign"),
        ("Hier liegt ein Video, das ich nie erstellt habe", "foreign"),
        ("C'è un video che non ho mai generato", "foreign"),
        ("Apareceu um vídeo que eu não gerei", "foreign"),
        ("Er staat een clip die ik niet heb gemaakt", "foreign"),
        ("私が作っていない動画があります。別の方のものだと思います。", "foreign"),
        ("My clip went to someone else's project", "missing"),
        ("I worry that another customer got my video", "missing"),
        ("You charged me for a video I never generated", "missing"),
        ("Das Video habe ich nicht bekommen", "missing"),
        ("Eine Abbuchung, die ich nicht gemacht habe", "missing"),
        ("El video que no subió", "missing"),
    ];
    for (text, topic) in rows {
        check(&[("en-US", NY, text, &format!("topic {topic}"))]);
    }
}
