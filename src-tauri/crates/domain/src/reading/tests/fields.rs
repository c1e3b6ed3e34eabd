//! Everything but the time: topic, references, models, amounts, counts.

use super::check;

#[test]
fn projects_runs_and_jobs() {
    check(&[
        ("en-US", "UTC", "in prj_91eag3p9, node Verse 2", "project prj_91eag3p9"),
        ("en-US", "UTC", "PRJ_7K2M9OXQ is empty", "project PRJ_7K2M9OXQ"),
        ("en-US", "UTC", "https://app.example.com/p/prj_91eag3p9?tab=1", "project prj_91eag3p9"),
        ("en-US", "UTC", "URL https://app.example.com/p/prj_91eag3p9.", "project prj_91eag3p9"),
        ("en-US", "UTC", "see picture###URL bar ends in /p/prj_n0y52qy3", "project prj_n0y52qy3"),
        ("en-US", "UTC", "project id 7k2m90xq, Kling", "project 7k2m90xq"),
        ("en-US", "UTC", "in my project \"Winter film\"", "project Winter film"),
        ("en-US", "UTC", "the Winter film project lost a clip", "project Winter film"),
        ("en-US", "UTC", "the clip in Winter film is gone", "project Winter film"),
        ("en-US", "UTC", "it is for my reel", "project -"),
        ("en-US", "UTC", "in the Reel project", "project Reel"),
        ("de-DE", "UTC", "im Projekt „Sommerfest“ fehlt ein Video", "project Sommerfest"),
        ("ja-JP", "UTC", "プロジェクト「ロゴ案」の画像", "project ロゴ案"),
        (
            "en-US",
            "UTC",
            "help###canvas with node \"Bowl\", spinner; browser tab title \"Dog food\"",
            "project Dog food",
        ),
        ("en-US", "UTC", "node \"Shot 4\" is empty", "project -"),
        ("en-US", "UTC", "History says run run_pb4t975t.", "runs run_pb4t975t; project -"),
        ("en-US", "UTC", "runs run_pb4t975t and run_aaaa1111", "runs run_pb4t975t|run_aaaa1111"),
        ("en-US", "UTC", "run id: pb4t975t", "runs pb4t975t"),
        ("en-US", "UTC", "the job ktask-1hgpsenzxy failed", "jobs ktask-1hgpsenzxy"),
        ("en-US", "UTC", "op-q91a39krnp / aw-ngj50jysvt", "jobs op-q91a39krnp|aw-ngj50jysvt"),
        (
            "en-US",
            "UTC",
            "prediction 0b3b6a2e-5c1f-4d53-9c1e-1c8b7ad3a001",
            "jobs 0b3b6a2e-5c1f-4d53-9c1e-1c8b7ad3a001",
        ),
        ("en-US", "UTC", "task id 8273640918273645", "jobs 8273640918273645"),
        ("en-US", "UTC", "a multi-shot run, 8-second clip, b-roll", "jobs -; runs -"),
        ("en-US", "UTC", "charge chg_b09q5s54 on prj_vtbm0d4c", "jobs -; runs -; project prj_vtbm0d4c"),
    ]);
}

#[test]
fn models() {
    check(&[
        ("en-US", "UTC", "a hailuo video", "models hailuo"),
        ("en-US", "UTC", "Kling 2.6 missing##Kling 2.6 Pro, no video", "models Kling 2.6 Pro"),
        ("en-US", "UTC", "no output from runway##I ran Gen 4.5###row \"Runway Gen-4.5\"", "models Gen 4.5"),
        ("en-US", "UTC", "Luma stuck##The Ray3 thing", "models Ray3"),
        ("en-US", "UTC", "Dream Machine Ray3, 8s", "models Dream Machine|Ray3"),
        ("en-US", "UTC", "Luma Ray3 on node Descent", "models Luma Ray3"),
        ("en-US", "UTC", "my VEO3 clip", "models VEO3"),
        ("en-US", "UTC", "kling-3 video", "models kling-3"),
        ("en-US", "UTC", "veo fast, 8s", "models veo fast"),
        ("en-US", "UTC", "Veo 3.1 Fast at 720p", "models Veo 3.1 Fast"),
        ("en-US", "UTC", "FLUX.1 Kontext [max] image", "models FLUX.1 Kontext [max]"),
        ("en-US", "UTC", "a lip-sync of the voice", "models lip-sync"),
        ("en-US", "UTC", "Kling 2.5 clip", "models Kling 2.5"),
        ("en-US", "UTC", "I used Sora 2 for it", "models Sora 2"),
        ("en-US", "UTC", "Model: Frobnicate 9", "models Frobnicate 9"),
        ("en-US", "UTC", "a seedence clip", "models seedence"),
        ("en-US", "UTC", "my kling video###row \"Kling 2.6 Pro\" -110", "models Kling 2.6 Pro"),
        ("en-US", "UTC", "see pics###row \"Seedance 2.0 - 1080p\", -130", "models Seedance 2.0"),
        ("en-US", "UTC", "Kling 3.0 failed. I re-ran it with Veo 3.1 and that worked fine", "models Kling 3.0"),
        ("es-ES", "UTC", "ya no veo nada en el proyecto, usé kling pro", "models kling pro"),
        ("es-ES", "UTC", "generé un video con veo y no salió", "models veo"),
        ("ja-JP", "UTC", "ナノバナナで画像を生成", "models ナノバナナ"),
        ("ja-JP", "UTC", "Ｖｅｏ３．１で動画を生成", "models Veo3.1"),
        ("en-US", "UTC", "the video is missing", "models -"),
        ("en-US", "UTC", "a model on a runway, walking", "models -"),
        ("en-US", "UTC", "eleven videos on node 3", "models -"),
        ("de-DE", "UTC", "es klingt kaputt, Wan 2.5", "models Wan 2.5"),
    ]);
}

#[test]
fn amounts() {
    check(&[
        ("en-US", "UTC", "Billing shows -320 credits", "amount 320"),
        ("en-US", "UTC", "charged 95 credits for a hailuo video", "amount 95"),
        ("en-US", "UTC", "Billing says 180 taken", "amount 180"),
        ("en-US", "UTC", "I've been charged 160.", "amount 160"),
        ("en-US", "UTC", "Refund the 320.", "amount 320"),
        ("en-US", "UTC", "please credit the 95 to my account", "amount 95"),
        ("en-US", "UTC", "refund the 130 credits, I have 350 on my own plan", "amount 130"),
        ("en-US", "UTC", "Do I lose the 320 or do they come on top of this month's 1000?", "amount 320"),
        ("en-US", "UTC", "Amount 150 credits is cut", "amount 150"),
        ("en-US", "UTC", "TWO rows of -240 in Billing", "amount 240"),
        ("en-US", "UTC", "two runs, 320 credits in total", "amount 160; count 2"),
        ("en-US", "UTC", "two runs, 160 credits each", "amount 160; count 2"),
        ("en-US", "UTC", "1,200 credits for one clip", "amount 1200"),
        ("de-DE", "UTC", "1.200 Credits wurden abgebucht", "amount 1200"),
        ("de-DE", "UTC", "240 Credits wurden abgebucht", "amount 240"),
        ("es-MX", "UTC", "me descontaron 120 créditos de la billetera", "amount 120"),
        ("pt-BR", "UTC", "cobrou 110 créditos", "amount 110"),
        ("fr-FR", "UTC", "140 crédits débités", "amount 140"),
        ("ja-JP", "UTC", "クレジットが18引かれました", "amount 18"),
        ("ja-JP", "UTC", "18クレジット引かれた", "amount 18"),
        ("en-US", "UTC", "8 seconds at 1080p, node 12, 24 fps", "amount -"),
        ("en-US", "UTC", "I have 350 credits left, where is my video", "amount -"),
        ("en-US", "UTC", "my balance went from 500 to 340", "amount 160"),
        ("en-US", "UTC", "charged for 8 seconds", "amount -"),
        ("en-US", "UTC", "I paid $20 for this", "amount -"),
        ("en-US", "UTC", "see pics###row \"Seedance 2.0 - 1080p\", -130, \"Mar 29\"", "amount 130"),
    ]);
}

#[test]
fn counts() {
    check(&[
        ("en-US", "UTC", "the video is missing", "count 1"),
        ("en-US", "UTC", "TWO rows of -240 in Billing", "count 2"),
        ("en-US", "UTC", "charged twice for one video", "count 2"),
        ("en-US", "UTC", "three runs failed", "count 3"),
        ("en-US", "UTC", "both runs never arrived", "count 2"),
        ("en-US", "UTC", "two Kling 3.0 videos never arrived", "count 2"),
        ("en-US", "UTC", "the 3-shot run gave me two clips, 100 credits for three", "count 1"),
        ("en-US", "UTC", "only 2 of 3 clips", "count 1"),
        ("en-US", "UTC", "a batch of four images, one is missing", "count 1"),
        ("en-US", "UTC", "one of my two videos", "count 1"),
        ("en-US", "UTC", "I tried twice to write to you", "count 1"),
        ("de-DE", "UTC", "zwei Videos fehlen", "count 2"),
        ("de-DE", "UTC", "doppelt abgebucht", "count 2"),
        ("es-ES", "UTC", "dos videos no salieron", "count 2"),
        ("es-ES", "UTC", "me cobraron dos veces", "count 2"),
        ("fr-FR", "UTC", "débité deux fois", "count 2"),
        ("pt-BR", "UTC", "cobrou duas vezes", "count 2"),
        ("ja-JP", "UTC", "二重に請求されています", "count 2"),
    ]);
}

#[test]
fn topics() {
    check(&[
        ("en-US", "UTC", "Charged for a Veo clip that never showed up", "topic missing"),
        ("en-US", "UTC", "it ate my credits. see pics", "topic missing"),
        ("en-US", "UTC", "there is a video in my project that isn't mine", "topic foreign"),
        ("en-US", "UTC", "I see someone else's clip on my node", "topic foreign"),
        ("en-US", "UTC", "I never made this, who is this man?", "topic foreign"),
        ("en-US", "UTC", "It's not my fault that the run failed", "topic missing"),
        ("en-US", "UTC", "someone else in our workspace ran it and the clip is missing", "topic missing"),
        ("de-DE", "UTC", "In meinem Projekt liegt ein fremdes Video", "topic foreign"),
        ("es-ES", "UTC", "hay un video que no es mío", "topic foreign"),
        ("fr-FR", "UTC", "il y a une vidéo de quelqu'un d'autre", "topic foreign"),
        ("ja-JP", "UTC", "他人の動画が表示されています", "topic foreign"),
        ("en-US", "UTC", "My subscription renewed and my unused credits expired", "topic billing; amount -; win -"),
        (
            "en-US",
            "UTC",
            "I bought 500 credits yesterday, the payment went through, they are not in my wallet",
            "topic billing; amount -; win -",
        ),
        ("en-US", "UTC", "Can I get an invoice with VAT for May?", "topic billing"),
        ("de-DE", "UTC", "Mein Abo wurde verlängert, die restlichen Credits sind verfallen", "topic billing"),
        (
            "es-ES",
            "UTC",
            "compré un paquete de 500 créditos y no llegaron, el pago salió de mi tarjeta",
            "topic billing",
        ),
        ("ja-JP", "UTC", "サブスクの更新でクレジットが失効しました", "topic billing"),
        (
            "en-US",
            "UTC",
            "Veo run on Monday failed, prj_y7s6gwm4. My monthly credits have reset since. Do I lose the 320?",
            "topic missing",
        ),
        ("en-US", "UTC", "My plan ended. The last Kling 2.6 run in prj_6qj5ehwq failed", "topic missing"),
    ]);
}
