//! Answers and scans against a small record.

use proptest::prelude::*;

use super::answer::{Answer, AnswerInput, answer};
use super::fixture::{act, at, claim, diagnosis, dossier, full, job, now, output, scope, ticket};
use super::lang::Lang;
use super::note::{Asked, NoteInput, Tried, escalation_note, owner_notice};
use super::scan::scan;
use super::text::Phrases;
use crate::diagnose::{Diagnosis, Flag, ItemActionKind, MessagePoint, Remedy, Verdict};
use crate::scope::Scope;
use crate::support::Ticket;
use crate::work::RetryInitiator;

fn write(ticket: &Ticket, scope: &Scope, diagnosis: &Diagnosis) -> Answer {
    answer(&AnswerInput { ticket, claim: &claim(), diagnosis, scope, now: now() })
}

fn found(text: &str, scope: &Scope) -> Vec<String> {
    scan(text, scope, &claim()).into_iter().map(|leak| leak.found).collect()
}

const ZONE: Option<&str> = Some("Europe/Berlin");

#[test]
fn every_point_is_said_in_every_language() {
    let (scope, mut diagnosis) = full();
    for lang in Lang::ALL {
        let ticket = ticket(Some(lang.code()), ZONE);
        let phrases = Phrases::of(lang);
        let frame = format!("{}\n\n{}", phrases.greeting, phrases.closing);
        for &point in MessagePoint::ALL {
            diagnosis.message_points = vec![point];
            // Each of these tells of another kind of item.
            diagnosis.flags.clear();
            let answer = write(&ticket, &scope, &diagnosis);
            let (name, text) = (point.word(), &answer.text);
            assert!(answer.ready, "{lang:?} {name}: {:?} {:?}", answer.missing, answer.leaks);
            assert!(text.chars().count() > frame.chars().count() + 8, "{lang:?} {name}: {text}");
            assert!(!text.contains(['{', '}']), "{lang:?} {name}: {text}");
            assert_eq!(answer.locale, lang.code());
        }
    }
}

#[test]
fn no_language_repeats_another() {
    let (scope, mut diagnosis) = full();
    diagnosis.message_points = MessagePoint::ALL.to_vec();
    let said = |lang: Lang| {
        let text = write(&ticket(Some(lang.code()), ZONE), &scope, &diagnosis).text;
        text.split(['.', '\n', '。']).map(str::trim).filter(|part| part.len() > 24).map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = Lang::ALL.into_iter().map(said).collect();
    for (at, one) in all.iter().enumerate() {
        assert!(one.len() >= 20, "{one:?}");
        for other in all.iter().skip(at + 1) {
            let both: Vec<_> = one.iter().filter(|part| other.contains(part)).collect();
            assert!(both.is_empty(), "{both:?}");
        }
    }
}

#[test]
fn every_verdict_has_its_own_cause_in_every_language() {
    for lang in Lang::ALL {
        let causes: std::collections::BTreeSet<_> =
            Verdict::ALL.iter().map(|verdict| (Phrases::of(lang).cause)(*verdict)).collect();
        assert_eq!(causes.len(), Verdict::ALL.len(), "{lang:?}");
        assert!(causes.iter().all(|cause| cause.ends_with(['.', '。'])), "{lang:?}");
    }
}

/// Places of a template, in order of their names.
fn places(template: &str) -> Vec<&str> {
    let mut names: Vec<_> = template.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    names.sort_unstable();
    names
}

#[test]
fn templates_of_all_languages_have_the_same_places() {
    let templates = |lang: Lang| {
        let p = Phrases::of(lang);
        let b = &p.to_balance;
        [
            p.credits.one,
            p.credits.other,
            p.run_charged,
            p.run_free,
            p.confirm_one,
            p.wait_until,
            p.lookup_pending,
            b.quota,
            b.pool,
            b.wallet,
            b.workspace_wallet,
            p.refund_posted,
            p.redebit,
            p.from_balance.quota,
            p.from_balance.pool,
            p.from_balance.wallet,
            p.from_balance.workspace_wallet,
            p.released,
            p.released_to,
            p.restored,
            p.excluded_part,
            p.duplicate_removed,
            p.at_node,
            p.in_history,
            p.history_entry,
            p.recovered,
            p.moved,
            p.on_hold,
            p.free_space,
            p.location,
            p.item.one,
            p.item.other,
            p.items_of,
            p.item_restored,
            p.kept_until,
            p.linked_own,
        ]
    };
    let english = templates(Lang::En);
    for lang in Lang::ALL {
        for (here, english) in templates(lang).into_iter().zip(english) {
            assert_eq!(places(here), places(english), "{lang:?}: {here}");
            assert!(!places(here).is_empty(), "{lang:?}: {here}");
        }
    }
}

/// Support needs the time, the model, and whether anything was ever seen, before it can say anything about a timeout.
#[test]
fn symptom_33_who_names_nothing_is_asked_for_what_a_run_is_found_by() {
    let diagnosis = crate::diagnose::world::World::of([]).diagnose();
    assert_eq!(diagnosis.remedy, Remedy::AskForDetails);
    for lang in Lang::ALL {
        let text = write(&ticket(Some(lang.code()), ZONE), &scope(), &diagnosis).text;
        for detail in Phrases::of(lang).details {
            assert!(text.contains(detail), "{lang:?}: {detail} is not in\n{text}");
        }
    }
    let english = Phrases::of(Lang::En).details.join("; ");
    for part in ["project ID", "time zone", "model", "expected", "screenshots"] {
        assert!(english.contains(part), "{part}: {english}");
    }
}

#[test]
fn a_recovery_reads_as_it_should() {
    let mut diagnosis = diagnosis(Verdict::UploadFailed, Remedy::RecoverAsset);
    diagnosis.item_actions = vec![act(1, ItemActionKind::Recover, 0)];
    diagnosis.message_points =
        vec![MessagePoint::AssetRecoveredNoRerun, MessagePoint::WhatHappened, MessagePoint::ConfirmRun];
    for (locale, want) in [
        (
            "en-US",
            "Hello,\n\nWe looked at this run: project “Spot”, Kling 3.0, started May 17, 2:58 PM, 100 credits. Your \
             result was made, but a fault on our side kept it from being saved.\n\nYour result is now in project \
             “Spot”, on the canvas at “Hero”. You don't need to run it again, and it costs nothing more.\n\nKind \
             regards,\nSupport",
        ),
        (
            "de-DE",
            "Guten Tag!\n\nWir haben uns diesen Lauf angesehen: Projekt „Spot“, Kling 3.0, gestartet am 17. Mai, 14:58 \
             Uhr, 100 Credits. Ihr Ergebnis wurde erstellt, konnte aber durch einen Fehler bei uns nicht gespeichert \
             werden.\n\nIhr Ergebnis liegt jetzt im Projekt „Spot“ auf der Arbeitsfläche bei „Hero“. Sie müssen den \
             Lauf nicht wiederholen, und es entstehen keine weiteren Kosten.\n\nFreundliche Grüße\nIhr Support-Team",
        ),
        (
            "ja-JP",
            "お問い合わせいただきありがとうございます。\n\n次の実行を確認しました：プロジェクト「Spot」、Kling \
             3.0、5月17日 14:58開始、100クレジット。結果は生成されましたが、当社側の不具合により、保存できませんでした。\
             \n\n結果は現在、プロジェクト「Spot」のキャンバスの「Hero」にあります。再実行の必要はなく、追加の料金もかかりません。\
             \n\n今後ともよろしくお願いいたします。\nサポート担当",
        ),
    ] {
        let answer = write(&ticket(Some(locale), ZONE), &scope(), &diagnosis);
        assert_eq!(answer.text, want);
        assert!(answer.ready);
    }
}

#[test]
fn the_language_follows_the_locale_then_the_ticket_then_english() {
    for (locale, body, want) in [
        (Some("fr-CA"), "I have nothing and the node is empty", "fr-CA"),
        (Some("ko-KR"), "Ik heb betaald maar het staat niet in mijn project", "nl"),
        (None, "Mir wurden Credits abgezogen und das Video ist nicht da", "de"),
        (None, "???", "en"),
    ] {
        let mut ticket = ticket(locale, None);
        (ticket.subject, ticket.body) = (String::new(), body.to_owned());
        let answer = write(&ticket, &scope(), &diagnosis(Verdict::NoMatch, Remedy::AskForDetails));
        assert_eq!(answer.locale, want, "{locale:?} {body}");
    }
}

#[test]
fn who_is_unknown_or_has_left_is_told_nothing() {
    let (mut scope, mut diagnosis) = full();
    diagnosis.message_points = MessagePoint::ALL.to_vec();
    diagnosis.flags = [Flag::RequesterNotMember].into();
    let left = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis);
    assert!(left.text.contains("owner of the workspace") && !left.text.contains("Spot"), "{}", left.text);
    assert!(left.ready);
    scope.requester.user_id = None;
    let unknown = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis);
    assert!(unknown.text.contains("account holder") && !unknown.text.contains("Spot"), "{}", unknown.text);
    assert!(unknown.ready);
}

#[test]
fn an_answer_without_its_facts_is_not_ready() {
    for point in [
        MessagePoint::WaitUntil,
        MessagePoint::CreditsRestored,
        MessagePoint::RefundAlreadyPosted,
        MessagePoint::RedebitNeededForAsset,
        MessagePoint::AssetRecoveredNoRerun,
        MessagePoint::AssetLocation,
        MessagePoint::DuplicateChargeRemoved,
    ] {
        let mut diagnosis = diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset);
        diagnosis.message_points = vec![point];
        let answer = write(&ticket(None, None), &scope(), &diagnosis);
        assert!(!answer.ready && !answer.missing.is_empty(), "{}", point.word());
    }
    let mut nothing = diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset);
    nothing.message_points.clear();
    assert!(!write(&ticket(None, None), &scope(), &nothing).ready);
}

#[test]
fn a_run_in_somebody_elses_project_is_not_described() {
    let mut scope = scope();
    scope.runs[0].run.project_id = "prj_epis03".into();
    let answer =
        write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis(Verdict::ProviderFailed, Remedy::RestoreCredits));
    assert!(!answer.ready && !answer.text.contains("Episode"), "{}", answer.text);
}

#[test]
fn items_are_told_one_by_one() {
    let (mut scope, mut diagnosis) = full();
    diagnosis.message_points = vec![MessagePoint::PartialItemsExplained];
    let answer = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis);
    let want =
        "Item by item:\n• Item 1: delivered\n• Item 2: recovered, now in your project\n• Item 3: 33 credits returned";
    assert!(answer.text.contains(want), "{}", answer.text);
    // Alike items share a line; a batch of an absurd size is told by what is done for it.
    diagnosis.item_actions = vec![act(2, ItemActionKind::Recover, 0), act(3, ItemActionKind::Recover, 0)];
    scope.runs[0].run.requested_items = u32::MAX;
    let answer = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis);
    assert!(answer.text.contains("• Items 2 and 3: recovered"), "{}", answer.text);
    assert_eq!(answer.text.matches('•').count(), 1);
}

#[test]
fn several_runs_are_listed_and_retries_of_the_system_belong_to_their_run() {
    let mut scope = scope();
    let mut retry = dossier();
    retry.run.id = "run_retry1".into();
    (retry.run.retry_of, retry.run.retry_initiator) = (Some("run_a1b2c3".into()), Some(RetryInitiator::System));
    retry.run.started_at = at("2026-05-17T13:10:00Z");
    let mut second = dossier();
    second.run.id = "run_second".into();
    second.run.started_at = at("2026-05-17T14:00:00Z");
    second.charges.clear();
    scope.runs.extend([retry, second]);
    let mut diagnosis = diagnosis(Verdict::ProviderFailed, Remedy::RestoreCredits);
    diagnosis.additional_runs = vec!["run_second".into()];
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    let want = "We looked at these runs:\n• project “Spot”, Kling 3.0, started 17 May, 14:58, 200 credits\n\
                • project “Spot”, Kling 3.0, started 17 May, 16:00\n";
    assert!(text.contains(want), "{text}");
    // Of a double charge the customer knows the first; the other is told of by itself.
    diagnosis.verdict = Verdict::DuplicateCharge;
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(text.contains("14:58, 100 credits"), "{text}");
}

#[test]
fn room_is_asked_for_by_what_is_lacking() {
    let mut diagnosis = diagnosis(Verdict::StorageQuotaExceeded, Remedy::HoldAsset);
    diagnosis.item_actions = vec![act(1, ItemActionKind::Hold, 0)];
    diagnosis.message_points = vec![MessagePoint::FreeSpaceNeeded];
    let mut scope = scope();
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(text.contains("at least 3\u{a0}MB"), "5 MB, of which 2 are free: {text}");
    scope.runs[0].jobs = vec![job(&[])];
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(text.contains("free some space"), "a file of unknown size: {text}");
}

#[test]
fn a_colleagues_ticket_is_not_dated() {
    let (mut scope, mut diagnosis) = full();
    diagnosis.message_points = vec![MessagePoint::LinkedToExistingTicket];
    let own = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(own.contains("18 May, 12:00"), "{own}");
    scope.runs[0].tickets[0].requester_user_id = Some("usr_owner1".into());
    let others = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(others.contains("already an open request") && !others.contains("18 May"), "{others}");
}

#[test]
fn what_must_not_be_named_is_found_however_it_is_written() {
    for text in [
        "Rodeo promo",
        "rodeo  PROMO",
        "Rodeo-Promo",
        "RodeoPromo",
        "R o d e o promo",
        "Ｒｏｄｅｏ promo",
        "Rodeo\u{200b} pro\u{ad}mo",
        "„Rodeo promos“",
        "Rodéo promo",
        "prj_other1",
        "PRJ-OTHER1",
        "prj other1",
        "stranger.studio@example.com",
        "Stranger.Studio @ example . com",
        "zoe",
        "ZOË",
        "Zoe\u{308}",
        "Zoë's",
        "lumen",
        "Lumen's",
        "run_zzz999",
        "chg_first1",
        "op-ftadv7hhzq",
        "OP FTADV7HHZQ",
        "bal_quota1",
        "acc_nobody",
        "somebody@example.org",
        "0198c2b0-7a41-7cc3-98a1-3a2b1c0d9e8f",
        "Dune Pictures",
        "ws_studio",
        "Episode 3",
        "usr_ana001",
        "prj_spot02",
    ] {
        let embedded = format!("Your clip: {text}, as said.");
        assert!(!found(&embedded, &scope()).is_empty(), "{text}");
    }
}

#[test]
fn what_the_customer_knows_is_no_leak() {
    for text in [
        "",
        "Your result is in project “Spot” at “Hero”.",
        "Kling 3.0",
        "ana@example.com",
        "prj_spot01",
        "PRJ_SPOT01",
        "zoetrope",
        "volumen",
        "in_progress",
        "May 17, 2:58 PM",
        "100 credits",
    ] {
        assert_eq!(found(text, &scope()), Vec::<String>::new(), "{text}");
    }
    // A name of one's own that holds another's.
    let mut scope = scope();
    scope.projects[0].name = "Zoë and the lumen".to_owned();
    assert_eq!(found("in project “Zoë and the lumen”", &scope), Vec::<String>::new());
    assert_eq!(found("Zoë and the lumen, by Zoë", &scope), ["Zoë"]);
}

#[test]
fn somebody_unknown_is_not_even_given_back_what_they_quoted() {
    let mut scope = scope();
    scope.requester.user_id = None;
    assert_eq!(found("We found prj_spot01.", &scope).first().map(String::as_str), Some("prj_spot01"));
    assert!(!found("It is in Spot, as Episode 3.", &scope).is_empty());
}

#[test]
fn japanese_names_need_no_spaces_around_them() {
    let mut scope = scope();
    scope.forbidden = vec!["田中".to_owned(), "Dune".to_owned()];
    assert_eq!(found("この結果は田中さんのDuneにあります", &scope), ["Dune", "田中"]);
}

proptest! {
    // Each case writes a whole answer.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_forbidden_text_is_found_wherever_it_is_put(
        which in 0_usize..5, place in 0_usize..400, lang in 0_usize..8, upper in any::<bool>()
    ) {
        let (scope, mut diagnosis) = full();
        diagnosis.message_points = MessagePoint::ALL.to_vec();
        let lang = Lang::ALL[lang];
        let text = write(&ticket(Some(lang.code()), ZONE), &scope, &diagnosis).text;
        prop_assert!(scan(&text, &scope, &claim()).is_empty());
        let chars: Vec<char> = text.chars().collect();
        let (before, after) = chars.split_at(place % chars.len());
        let hidden = &scope.forbidden[which];
        let hidden = if upper { hidden.to_uppercase() } else { hidden.clone() };
        let (before, after): (String, String) = (before.iter().collect(), after.iter().collect());
        let leaking = format!("{before} {hidden} {after}");
        prop_assert!(!scan(&leaking, &scope, &claim()).is_empty(), "{}", leaking);
    }

    /// Whatever a diagnosis says, nothing of a project is told that is not the requester's.
    #[test]
    fn nothing_is_told_of_a_project_of_others(
        verdict in proptest::sample::select(Verdict::ALL),
        points in proptest::sample::subsequence(MessagePoint::ALL.to_vec(), 0..=MessagePoint::ALL.len()),
        action in proptest::sample::select(ItemActionKind::ALL),
        lang in proptest::sample::select(Lang::ALL.to_vec()),
        follow_up in any::<bool>(),
    ) {
        let (mut scope, mut diagnosis) = full();
        scope.runs[0].run.project_id = "prj_epis03".into();
        scope.runs[0].outputs = vec![output("out_x", 1, "prj_epis03", None), output("out_y", 2, "prj_other1", None)];
        (diagnosis.verdict, diagnosis.message_points) = (verdict, points);
        diagnosis.item_actions = vec![act(1, action, 0), act(2, action, 5)];
        if !follow_up {
            diagnosis.follow_up_at = None;
        }
        let answer = write(&ticket(Some(lang.code()), ZONE), &scope, &diagnosis);
        for name in ["Episode 3", "Rodeo promo", "Dune Pictures", "prj_", "run_", "lumen"] {
            prop_assert!(!answer.text.contains(name), "{}", answer.text);
        }
        prop_assert!(!answer.text.contains(['{', '}']), "{}", answer.text);
        prop_assert_eq!(answer.leaks, vec![]);
    }

    #[test]
    fn any_text_can_be_scanned(text in "\\PC{0,80}", name in "\\PC{0,12}") {
        let mut scope = scope();
        scope.forbidden = vec![name];
        for leak in scan(&text, &scope, &claim()) {
            prop_assert!(!leak.found.is_empty());
        }
    }
}

#[test]
fn the_note_has_ids_times_and_what_is_asked() {
    let (scope, diagnosis) = full();
    let tried =
        [Tried { at: now(), what: "fetch of item 2".to_owned(), outcome: "refused by the provider".to_owned() }];
    let asked = Asked {
        what: "see why uploads fail".to_owned(),
        of: "storage".to_owned(),
        by: Some(at("2026-05-21T09:00:00Z")),
    };
    let ticket = ticket(None, None);
    let note = escalation_note(&NoteInput {
        ticket: &ticket,
        claim: &claim(),
        diagnosis: &diagnosis,
        scope: &scope,
        now: now(),
        tried: &tried,
        asked: Some(&asked),
    });
    for part in [
        "**Staff only: partial_batch → recover_asset_and_restore_credits (urgent_retention)**",
        "- ticket TCK-1 (sample)",
        "- project prj_spot01, node nd_hero01",
        "- charge chg_first1: 100 credits of acc_ana001",
        "- job op-ftadv7hhzq at lumen",
        "- 2026-05-17 13:05:00 upload of item 1 network error",
        "- 2026-05-20 09:00:00 fetch of item 2: refused by the provider",
        "- see why uploads fail (of storage, by 2026-05-21 09:00:00 UTC)",
        "Facts as of 2026-05-20 09:00:00 UTC",
    ] {
        assert!(note.contains(part), "{part} in\n{note}");
    }
    assert!(!note.contains("https://"), "{note}");
}

#[test]
fn the_owner_is_told_what_the_requester_is_not() {
    let (mut scope, diagnosis) = full();
    scope.runs[0].run.project_id = "prj_epis03".into();
    scope.runs[0].account_id = "acc_studio".into();
    let text = owner_notice(&scope, &diagnosis, &diagnosis.restorations);
    for part in ["Dune Pictures", "Episode 3", "Kling 3.0", "33 credits", "UTC", "no longer a member"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("ana@example.com"));
}

#[test]
fn places_on_the_canvas_and_in_the_history_are_told_apart() {
    let (mut scope, mut diagnosis) = full();
    diagnosis.verdict = Verdict::DeliveredNotOnCanvas;
    diagnosis.message_points = vec![MessagePoint::AssetLocation];
    scope.runs[0].outputs = vec![
        output("out_a", 1, "prj_spot01", Some("nd_hero01")),
        output("out_b", 2, "prj_spot01", None),
        output("out_c", 3, "prj_other1", None),
    ];
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(text.contains("in the entry “Kling 3.0” of 17 May, 14:58") && !text.contains("Hero"), "{text}");
    diagnosis.verdict = Verdict::DeliveredOk;
    let text = write(&ticket(Some("en-GB"), ZONE), &scope, &diagnosis).text;
    assert!(text.contains("on the canvas at “Hero”") && !text.contains("Rodeo"), "{text}");
}
