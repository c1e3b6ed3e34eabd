//! The sentences of the answers, one table per language. Places in braces are filled by name.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod nl;
mod pt;

use crate::diagnose::Verdict;
use crate::draft::lang::Lang;
use crate::money::{BalanceKind, Credits};

/// Forms of a counted word. Japanese has one form and gives it twice.
pub(crate) struct Counted {
    pub one: &'static str,
    pub other: &'static str,
}

/// A phrase per kind of balance: whole, so that articles and cases come out right.
pub(crate) struct PerBalance {
    pub quota: &'static str,
    pub pool: &'static str,
    pub wallet: &'static str,
    pub workspace_wallet: &'static str,
}

impl PerBalance {
    pub(crate) fn get(&self, kind: BalanceKind) -> &'static str {
        match kind {
            BalanceKind::SubscriptionQuota => self.quota,
            BalanceKind::WorkspacePool => self.pool,
            BalanceKind::Wallet => self.wallet,
            BalanceKind::WorkspaceWallet => self.workspace_wallet,
        }
    }
}

/// All that is said in one language. Times, places and amounts come in already written out.
pub(crate) struct Phrases {
    pub greeting: &'static str,
    pub closing: &'static str,
    /// Between the last two parts of a list, and between the others.
    pub and: &'static str,
    pub comma: &'static str,
    /// Between two sentences of a paragraph: a space, where the script has one.
    pub space: &'static str,
    /// `{n}`
    pub credits: Counted,
    /// `{project} {model} {when} {credits}`
    pub run_charged: &'static str,
    /// `{project} {model} {when}`
    pub run_free: &'static str,
    /// `{run}`
    pub confirm_one: &'static str,
    /// Before a list of runs.
    pub confirm_many: &'static str,
    /// The cause of each verdict.
    pub cause: fn(Verdict) -> &'static str,
    /// `{when}`
    pub wait_until: &'static str,
    pub still_running: &'static str,
    /// `{when}`
    pub lookup_pending: &'static str,
    /// `{credits}`: an amount with the balance that it went to.
    pub to_balance: PerBalance,
    /// `{lines} {when}`
    pub refund_posted: &'static str,
    /// `{credits}`
    pub redebit: &'static str,
    /// `{credits}`: an amount with the balance that it was taken from.
    pub from_balance: PerBalance,
    /// `{lines} {when}`: what was charged again, and when the customer agreed.
    pub released: &'static str,
    /// `{place}`
    pub released_to: &'static str,
    /// `{lines}`
    pub restored: &'static str,
    pub to_workspace: &'static str,
    pub to_current_period: &'static str,
    pub to_wallet: &'static str,
    pub excluded: &'static str,
    /// `{credits}`: what the run still counts with.
    pub excluded_part: &'static str,
    /// `{credits} {when}`
    pub duplicate_removed: &'static str,
    /// `{project} {node}`, `{project}`, `{project} {model} {when}`
    pub at_node: &'static str,
    pub in_history: &'static str,
    pub history_entry: &'static str,
    /// `{place}`
    pub recovered: &'static str,
    /// `{place}`
    pub moved: &'static str,
    /// `{when}`
    pub on_hold: &'static str,
    /// `{size}`
    pub free_space: &'static str,
    pub free_some_space: &'static str,
    /// `{place}`
    pub location: &'static str,
    pub drag_back: &'static str,
    pub item_by_item: &'static str,
    /// `{items} {what}`; what is said of an item fits one and several.
    pub item: Counted,
    /// `{run}`: before the items of one of several runs.
    pub items_of: &'static str,
    pub item_delivered: &'static str,
    pub item_recovered: &'static str,
    /// `{credits}`
    pub item_restored: &'static str,
    pub item_held: &'static str,
    pub item_waiting: &'static str,
    pub item_refunded: &'static str,
    pub item_open: &'static str,
    /// `{when}`
    pub kept_until: &'static str,
    pub no_longer_kept: &'static str,
    pub delivered_stays: &'static str,
    pub cancel_keeps: &'static str,
    pub deleted_keeps: &'static str,
    pub not_charged: &'static str,
    pub privacy_review: &'static str,
    pub foreign_removed: &'static str,
    pub owner_handles: &'static str,
    pub verify_identity: &'static str,
    pub ask_details: &'static str,
    /// Project, time, model, expectation, screenshots.
    pub details: [&'static str; 5],
    /// `{when}`: when the requester wrote the older ticket.
    pub linked_own: &'static str,
    pub linked: &'static str,
    pub routed: &'static str,
    /// Numbers in Japanese.
    pub months: [&'static str; 12],
}

impl Phrases {
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &en::EN,
            Lang::De => &de::DE,
            Lang::Es => &es::ES,
            Lang::Pt => &pt::PT,
            Lang::Fr => &fr::FR,
            Lang::It => &it::IT,
            Lang::Nl => &nl::NL,
            Lang::Ja => &ja::JA,
        }
    }

    /// The form of a counted word that goes with an amount.
    pub(crate) fn counted(&self, lang: Lang, word: &Counted, amount: Credits) -> &'static str {
        let one = match lang {
            // French and Portuguese count nothing in the singular.
            Lang::Fr | Lang::Pt => amount == 0 || amount == 1,
            Lang::Ja => false,
            Lang::En | Lang::De | Lang::Es | Lang::It | Lang::Nl => amount == 1,
        };
        if one { word.one } else { word.other }
    }
}

/// Fills the places of a template, in one pass: what is filled in is never looked at again, so a
/// project named `{when}` stays one. A place without a value is left as it stands.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let value = after.split_once('}').and_then(|(name, tail)| {
            let value = values.iter().find(|(known, _)| *known == name)?;
            Some((value.1, tail))
        });
        match value {
            Some((value, tail)) => {
                text.push_str(value);
                rest = tail;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once_and_by_name() {
        for (template, values, want) in [
            ("a {x} b {y}", vec![("x", "1"), ("y", "2")], "a 1 b 2"),
            ("{x}{x}", vec![("x", "{y}"), ("y", "2")], "{y}{y}"),
            ("{z} {x}", vec![("x", "1")], "{z} 1"),
            ("{ {x", vec![("x", "1")], "{ {x"),
        ] {
            assert_eq!(fill(template, &values), want, "{template}");
        }
    }

    #[test]
    fn nothing_counts_as_each_language_has_it() {
        for (lang, zero, one, two) in [
            (Lang::En, "{n} credits", "{n} credit", "{n} credits"),
            (Lang::Fr, "{n} crédit", "{n} crédit", "{n} crédits"),
            (Lang::Pt, "{n} crédito", "{n} crédito", "{n} créditos"),
            (Lang::De, "{n} Credits", "{n} Credit", "{n} Credits"),
            (Lang::Ja, "{n}クレジット", "{n}クレジット", "{n}クレジット"),
        ] {
            let phrases = Phrases::of(lang);
            for (amount, want) in [(0, zero), (1, one), (2, two)] {
                assert_eq!(phrases.counted(lang, &phrases.credits, amount), want, "{lang:?} {amount}");
            }
        }
    }
}
