//! The journeys, in the order they are played. The tickets are those that every practice workspace
//! has under the same ids.

mod approves;
mod batches;
mod keeps_words;
mod keys;
mod opens;
mod picks;
mod previews;
mod reconciles;
mod recovers;
mod releases;
mod restores;
mod shares;
mod transfers;

use std::future::Future;
use std::pin::Pin;

use crate::stage::Stage;

type Playing<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

pub struct Journey {
    /// Names the promise it proves.
    pub name: &'static str,
    pub play: for<'a> fn(&'a Stage) -> Playing<'a>,
}

macro_rules! journeys {
    ($($module:ident::$name:ident),+ $(,)?) => {
        pub const JOURNEYS: &[Journey] = &[$(
            Journey { name: stringify!($name), play: |stage| Box::pin($module::$name(stage)) },
        )+];
    };
}

journeys![
    opens::the_window_opens_without_a_breach_of_its_policy,
    opens::the_window_goes_nowhere_else,
    opens::what_is_in_the_way_is_said_in_the_window_and_tried_again,
    opens::a_second_window_on_the_same_workspace_is_refused,
    recovers::recovers_a_file_and_keeps_the_very_bytes,
    transfers::a_recovery_shows_how_far_it_is,
    transfers::a_cancelled_recovery_leaves_nothing_half,
    transfers::a_recovery_goes_on_after_a_crash,
    previews::a_recovered_clip_plays,
    batches::a_batch_is_part_recovered_and_part_restored_in_one_review,
    releases::a_late_result_is_released_once_the_customer_agrees,
    restores::restores_a_split_charge_to_both_balances,
    approves::an_act_over_the_limit_waits_for_a_second_person,
    reconciles::a_pass_settles_what_is_late_and_nothing_twice,
    shares::two_windows_settle_one_case_once,
    keys::every_provider_says_that_it_takes_the_key,
    picks::a_run_is_picked_when_the_ticket_fits_two,
    keeps_words::a_note_survives_a_crash,
];
