//! Letters of customers far from the catalogue's home: zones, languages, habits.

use super::check;

#[test]
fn habits() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "URGENT: VEO 3.1 RUN AT 4PM YESTERDAY - NOTHING!!! 320 CREDITS GONE!!! prj_aa11bb22",
            "clock 06-09 16:00; models VEO 3.1; amount 320; project prj_aa11bb22",
        ),
        (
            "en-IE",
            "Europe/Dublin",
            "Run started Monday 8th of June at half nine in the evening. Kling 2.6 Pro, 110 credits, prj_aa11bb22, node \"Scene 3\". Nothing in it.",
            "clock 06-08 21:30; models Kling 2.6 Pro; amount 110; project prj_aa11bb22",
        ),
        (
            "en-ZA",
            "Africa/Johannesburg",
            "On 05/06 at about 6 in the evening SAST my Seedance run vanished.",
            "clock 06-05 18:00; models Seedance",
        ),
        (
            "en-SG",
            "Asia/Singapore",
            "9 Jun 2026, 8.15pm SGT. Hailuo. -95. Node empty leh.",
            "clock 06-09 20:15; amount 95; models Hailuo",
        ),
        (
            "en-US",
            "Asia/Dubai",
            "I'm in Dubai: June 9, 6:30 in the evening. Luma Ray3. 160 credits taken",
            "clock 06-09 18:30; amount 160; models Luma Ray3",
        ),
        (
            "en-US",
            "America/New_York",
            "June 9, 3pm PST (I'm traveling), Kling 3.0",
            "clock 06-09 15:00 @America/Los_Angeles",
        ),
        ("en-US", "America/New_York", "6:10 p.m. Central, Monday June 8", "clock 06-08 18:10 @America/Chicago"),
        ("en-US", "America/New_York", "Ran it Monday at 3 PM Eastern Time.", "clock 06-08 15:00"),
        ("en-GB", "Europe/London", "Monday, 8 June 2026 15:30 CEST", "clock 06-08 15:30 @Europe/Berlin"),
        ("en-GB", "Europe/London", "15:30 GMT on 8 June", "clock 06-08 15:30"),
        ("en-GB", "", "8 June at 15:30 London", "clock 06-08 15:30 @Europe/London"),
        ("", "", "my run at 15:30 on 8 June never came", "win 06-07 23:30..06-09 07:30"),
        ("", "", "between 15:00 and 16:00 UTC on 8 June", "win 06-08 14:30..06-08 16:30"),
        ("", "", "between 15:00 and 16:00 on 8 June", "win 06-08 00:30..06-09 06:30"),
        ("", "", "5 hours ago, kling 3", "clock 06-10 08:00"),
        ("", "", "on Monday morning", "win 06-07 15:00..06-09 02:00"),
        (
            "en-US",
            "America/New_York",
            "I started a render at 8:15 and at 8:40 the spinner stopped. Today. Node blank",
            "clock 06-10 08:15",
        ),
    ]);
}

#[test]
fn habits_continued() {
    check(&[
        (
            "en-US",
            "America/New_York",
            "It said Completed at 8:40am but I had started it at 8:15am today",
            "clock 06-10 08:15",
        ),
        (
            "en-US",
            "America/New_York",
            "I checked Billing at 9am today and the charge from Monday 4pm is still there",
            "clock 06-08 16:00",
        ),
        (
            "en-US",
            "America/New_York",
            "Reference: ticket 48213 from June 5. The run was June 4 at 2pm.",
            "clock 06-04 14:00",
        ),
        (
            "en-US",
            "America/New_York",
            "The refund posted June 9 at 10:00 but the run of June 8 at 9:15am was 240 and I only got back 120",
            "clock 06-08 09:15; amount 240",
        ),
        (
            "en-US",
            "America/New_York",
            "Closed my laptop at 6pm, came back Tuesday 9am. The Veo 3.1 job I launched Monday 5:55pm is gone.",
            "clock 06-08 17:55",
        ),
        (
            "en-US",
            "America/New_York",
            "I have until Friday 5pm to deliver. Kling 3.0 run yesterday 9:30am.",
            "clock 06-09 09:30",
        ),
        ("en-US", "America/New_York", "Two weeks ago I ran Wan 2.5 and got nothing", "win 05-27 00:00..05-28 00:00"),
        ("en-US", "America/New_York", "a week ago, Wan 2.5", "win 06-03 00:00..06-04 00:00"),
        ("en-US", "America/New_York", "on the 31st at 4pm", "clock 05-31 16:00"),
        ("en-US", "America/New_York", "The morning of June 8 I generated a clip", "win 06-08 05:00..06-08 12:00"),
        ("en-US", "America/New_York", "night of June 8", "win 06-08 20:00..06-09 06:00"),
        ("en-US", "America/New_York", "late last night", "win 06-09 20:00..06-10 06:00"),
        ("en-US", "America/New_York", "around 3ish yesterday afternoon", "clock 06-09 15:00"),
        ("en-US", "America/New_York", "yesterday, 9:30-10:00 am, Kling", "win 06-09 09:00..06-09 10:30"),
        ("en-US", "America/New_York", "sometime between 9 and 10 last night", "win 06-09 20:30..06-09 22:30"),
        ("en-US", "America/New_York", "from 14:00 to 14:30 on June 8", "win 06-08 13:30..06-08 15:00"),
    ]);
}

#[test]
fn two_runs_and_two_models() {
    check(&[
        (
            "en-US",
            "UTC",
            "I ran Kling 3.0 twice at 10:02 and 10:05, both empty, charged 240 each time",
            "count 2; amount 240; clock 06-10 10:02",
        ),
        ("en-US", "UTC", "2 videos, 2 charges, 0 results. Hailuo", "count 2; models Hailuo"),
        ("en-US", "UTC", "Kling 3.0 ate 240 credits. Same prompt on Veo 3.1 worked.", "models Kling 3.0; amount 240"),
        ("en-US", "UTC", "There are 3 identical rows in Billing for one clip, -95 each", "count 3; amount 95"),
        ("en-US", "UTC", "Duplicate charge on Ray3: 160 and 160", "count 2; amount 160; models Ray3"),
        ("en-US", "UTC", "one run, one charge, no file", "count 1"),
        ("en-US", "UTC", "I got two emails about it", "count 1"),
        ("en-US", "UTC", "after two days and three emails still no clip", "count 1; win -"),
        ("en-US", "UTC", "Two of my four images in the batch are missing", "count 1"),
        ("en-US", "UTC", "only 3 out of 4 pictures arrived", "count 1"),
        ("en-US", "UTC", "The first two shots are there, the third isn't", "count 1"),
        ("de-DE", "UTC", "drei Läufe, dreimal nichts", "count 3"),
        ("de-DE", "UTC", "von den vier Bildern fehlen zwei", "count 1"),
        ("fr-FR", "UTC", "deux générations, aucune vidéo, 95 crédits chacune", "count 2; amount 95"),
        ("es-ES", "UTC", "hice dos generaciones con Wan 2.5", "count 2; models Wan 2.5"),
        ("ja-JP", "UTC", "3枚のうち1枚が表示されません", "count 1"),
    ]);
}

#[test]
fn billing_and_privacy() {
    check(&[
        (
            "en-US",
            "UTC",
            "Why did my 400 leftover credits vanish when the plan renewed yesterday?",
            "topic billing; win -; amount -",
        ),
        ("en-US", "UTC", "Please cancel my subscription and refund the last payment of $39", "topic billing; amount -"),
        ("en-US", "UTC", "I topped up 1000 credits at 3pm and they're not showing. Receipt attached.", "topic billing"),
        ("en-GB", "UTC", "Do wallet credits expire?", "topic billing"),
        (
            "fr-FR",
            "UTC",
            "Mon abonnement a été renouvelé et mes crédits ont expiré. Pouvez-vous m'envoyer la facture ?",
            "topic billing",
        ),
        (
            "pt-BR",
            "UTC",
            "Comprei 500 créditos ontem, o pagamento foi aprovado no cartão e não caíram na carteira.",
            "topic billing",
        ),
        ("it-IT", "UTC", "Il mio abbonamento è stato rinnovato e i crediti sono scaduti.", "topic billing"),
        (
            "en-US",
            "UTC",
            "The video in node Bowl shows a stranger's face, I didn't generate this. prj_aa11bb22",
            "topic foreign",
        ),
        ("en-US", "UTC", "A clip with another company's logo appeared on my canvas.", "topic foreign"),
        ("en-US", "UTC", "This file does not belong to me", "topic foreign"),
        ("en-US", "UTC", "there is a picture of people I don't know in my project", "topic foreign"),
        (
            "de-DE",
            "UTC",
            "Das Bild im Knoten gehört mir nicht, das muss von einem anderen Kunden sein",
            "topic foreign",
        ),
        ("pt-BR", "UTC", "apareceu um vídeo que não é meu no projeto", "topic foreign"),
        ("it-IT", "UTC", "c'è un video che non è mio", "topic foreign"),
        ("nl-NL", "UTC", "er staat een filmpje in mijn project dat niet van mij is", "topic foreign"),
        ("ja-JP", "UTC", "自分のではない動画がプロジェクトに入っています", "topic foreign"),
        ("en-US", "UTC", "It's not my prompt's fault, the video is missing", "topic missing"),
        ("en-US", "UTC", "this is not the video I asked for, six fingers", "topic missing"),
        ("en-US", "UTC", "My colleague ran it, I only pay for it. Kling 3.0 failed", "topic missing"),
    ]);
}
