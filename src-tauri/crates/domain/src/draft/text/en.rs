//! English.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static EN: Phrases = Phrases {
    greeting: "Hello,",
    closing: "Kind regards,\nSupport",
    and: " and ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} credit", other: "{n} credits" },
    run_charged: "project “{project}”, {model}, started {when}, {credits}",
    run_free: "project “{project}”, {model}, started {when}",
    confirm_one: "We looked at this run: {run}.",
    confirm_many: "We looked at these runs:",
    cause,
    wait_until: "By {when} at the latest, either your result is in the project or your credits are back. You don't need to do anything.",
    still_running: "The run is still being worked on.",
    lookup_pending: "We could not yet find out what became of your run, and keep asking until {when}. If we still have no answer then, you get your credits back.",
    to_balance: PerBalance {
        quota: "{credits} to your monthly credits",
        pool: "{credits} to the workspace pool",
        wallet: "{credits} to your wallet",
        workspace_wallet: "{credits} to the workspace wallet",
    },
    refund_posted: "The credits were already returned: {lines}, on {when}. You can see this under Settings, Billing.",
    redebit: "The result can still be had for the returned {credits}. If you would like that, just reply to this message; without your consent nothing is charged.",
    from_balance: PerBalance {
        quota: "{credits} from your monthly credits",
        pool: "{credits} from the workspace pool",
        wallet: "{credits} from your wallet",
        workspace_wallet: "{credits} from the workspace wallet",
    },
    released: "As you agreed on {when}, the returned credits were charged again: {lines}. You can see this under Settings, Billing.",
    released_to: "Your result is now {place}. You don't need to run it again.",
    restored: "We have returned {lines}.",
    to_workspace: "The workspace paid for this run, so the credits went back to the workspace and not to a personal balance.",
    to_current_period: "The billing period of the charge is over, so the credits were added to your current period, on top of its allowance.",
    to_wallet: "The subscription behind the charge has ended, so the credits went to the wallet of the same account.",
    excluded: "The run no longer counts in your usage total.",
    excluded_part: "In your usage total, the run now counts with {credits}.",
    duplicate_removed: "The charge of {credits} on {when} was the duplicate and has been reversed. The first charge stands.",
    at_node: "in project “{project}”, on the canvas at “{node}”",
    in_history: "in the generation history of project “{project}”",
    history_entry: "in the generation history of project “{project}”, in the entry “{model}” of {when}",
    recovered: "Your result is now {place}. You don't need to run it again, and it costs nothing more.",
    moved: "We have moved your result to the right place: it is now {place}.",
    on_hold: "We keep your result safe for you until {when}.",
    free_space: "There is no room for it in your storage. Please free at least {size} and reply to this message; we then put the file into your project.",
    free_some_space: "There is no room for it in your storage. Please free some space and reply to this message; we then put the file into your project.",
    location: "Your result is {place}.",
    drag_back: "You can drag it from the history back onto the canvas at any time, free of charge.",
    item_by_item: "Item by item:",
    item: Counted { one: "Item {items}: {what}", other: "Items {items}: {what}" },
    items_of: "For {run}:",
    item_delivered: "delivered",
    item_recovered: "recovered, now in your project",
    item_restored: "{credits} returned",
    item_held: "kept safe for you",
    item_waiting: "being waited for",
    item_refunded: "credits already returned",
    item_open: "not delivered; the charge stands",
    kept_until: "The file itself can no longer be recovered: finished files are kept for a limited time only, and this one was available until {when}.",
    no_longer_kept: "The file itself can no longer be recovered: finished files are kept for a limited time only, and this one is no longer available.",
    delivered_stays: "The result was delivered, so its credits can't be returned, even if it is not what you had hoped for. A changed prompt or another reference image often helps in the next run.",
    cancel_keeps: "The run was cancelled after the model had begun to work on it. From that moment on the work is done and the charge stands.",
    deleted_keeps: "The project was deleted while the run was being worked on. The work was done all the same, so the charge stands.",
    not_charged: "No credits were taken for this run, so there is nothing to return.",
    privacy_review: "This should not have happened. We have opened a privacy review and are looking into it.",
    foreign_removed: "We have removed the file that does not belong to you from your project. It has no effect on your own files or credits.",
    owner_handles: "We are settling this with the owner of the workspace. As it concerns the workspace, please turn to the owner for details.",
    verify_identity: "Before we can look into this, we need to be sure that we are talking to the account holder. Please write to us from the e-mail address of the account, or send us a message from within the product while signed in.",
    ask_details: "To find the right run, please send us:",
    details: [
        "the project ID (from the address of the project or from its settings)",
        "the time of the run, with your time zone",
        "the model that you used",
        "what you expected to get",
        "screenshots of the canvas and of the usage row in Billing",
    ],
    linked_own: "You already wrote to us about this run on {when}. We answer there, so that nothing is done twice.",
    linked: "There is already an open request about this run. We settle it there, so that nothing is done twice.",
    routed: "This is a question for our billing team. We have passed your message on; they answer you here within one business day.",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "We don't know yet whose account this is about.",
        Verdict::OutOfScope => "Your question is not about a single run.",
        Verdict::ForeignAssetInProject => "A file was shown in your project that does not belong there.",
        Verdict::NoMatch => "We could not tell for certain which run you mean.",
        Verdict::NotCharged => "The run cost nothing.",
        Verdict::MisattributedOtherCustomer => {
            "Your result was made, but through a mistake on our side it was filed in the wrong place."
        }
        Verdict::DuplicateCharge => "The run was charged more than once.",
        Verdict::CancelledBeforeStart => {
            "The run was cancelled before the model began to work on it, so it should not have cost anything."
        }
        Verdict::CancelledAfterStart => "The run was cancelled after the model had begun to work on it.",
        Verdict::ProjectDeleted => "Your result was finished after the project had been deleted.",
        Verdict::MisattributedSameCustomer => {
            "Your result was made, but through a mistake on our side it ended up in a different place than the one you ran it from."
        }
        Verdict::DeliveredNotOnCanvas => "Your result was made and stored; it is just not on the canvas.",
        Verdict::DeliveredOk => "Your result was made and is on the canvas.",
        Verdict::PartialBatch => "Not all of the results of this run reached your project.",
        Verdict::LateResult => "The result came only after the credits had been returned.",
        Verdict::CorruptOutput => "Your result was made, but the file was damaged in transfer.",
        Verdict::NeverSubmitted => "Through a fault on our side, the run never reached the model.",
        Verdict::ProviderUnreachable => "The model's status can't be checked at the moment.",
        Verdict::InProgress => "The run is still being worked on.",
        Verdict::ProviderStalled => "The run did not finish within 24 hours, so it was ended.",
        Verdict::ProviderFiltered => {
            "The model's safety filter withheld the result. That can happen with harmless prompts too; it often helps to rephrase the prompt or to use another reference image."
        }
        Verdict::ProviderFailed => "The model did not return a result.",
        Verdict::StorageQuotaExceeded => "Your result was made, but could not be saved because your storage was full.",
        Verdict::UploadFailed => "Your result was made, but a fault on our side kept it from being saved.",
        Verdict::WebhookLost => "Your result was made, but the message that it was ready did not reach us.",
    }
}
