//! Where scenarios play: people, projects, tales and the tickets that will be written about them.

use jiff::Timestamp;
use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::{NodeId, ProjectId, TicketId};
use makegood_domain::support::{TicketStatus, Topic};
use makegood_domain::work::{Node, Presence, Project};

use crate::cast::{Cast, Part};
use crate::catalogue::{Kept, OFFERS, Offer};
use crate::dice::Dice;
use crate::tale::{Spot, Tale, after};

/// Complaints of one customer are about runs this far apart, so that a time names one of them.
const APART_SECONDS: i64 = 5 * 3600;

/// How a ticket names the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectCite {
    No,
    Id,
    /// The id with `0` written as `O` or `1` as `I`.
    Misread,
    Name,
}

/// How a ticket names the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeCite {
    No,
    /// Date and time of day, in the customer's zone.
    Clock,
    /// The date alone.
    Day,
}

/// What a ticket gives to find the run by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cite {
    pub project: ProjectCite,
    pub time: TimeCite,
    pub model: bool,
    pub amount: bool,
    pub run_id: bool,
}

/// What is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    No,
    Canvas,
    Billing,
    Both,
}

/// A ticket to be written.
pub struct Sketch {
    pub verdict: Verdict,
    pub fixed_id: Option<&'static str>,
    pub customer: usize,
    /// The address, where it is not the customer's own.
    pub sender: Option<String>,
    pub topic: Topic,
    /// The runs it is about; the first one is the one that the pictures show.
    pub tales: Vec<usize>,
    /// Which phrases tell it (`words`).
    pub story: &'static str,
    pub cite: Cite,
    pub pictures: Pictures,
    /// The table was photographed on a machine that is set to another zone.
    pub wrong_clock: bool,
    pub created_at: Timestamp,
    pub stated_runs: Option<u32>,
    /// Known to the platform as being about its runs (P12).
    pub linked: bool,
}

/// An earlier ticket that is no case any more (P12).
pub struct PastTicket {
    pub id: TicketId,
    pub tale: usize,
    pub created_at: Timestamp,
    pub status: TicketStatus,
    pub outcome: &'static str,
}

/// The whole stage.
pub struct Stage {
    pub dice: Dice,
    pub anchor: Timestamp,
    pub kept: Kept,
    pub cast: Cast,
    pub projects: Vec<Project>,
    /// Purse of each project.
    pub purse_of: Vec<usize>,
    pub nodes: Vec<Node>,
    pub tales: Vec<Tale>,
    pub sketches: Vec<Sketch>,
    pub past: Vec<PastTicket>,
    busy: Vec<Vec<Timestamp>>,
    /// How often a customer has complained; the next complaint is taken to one with few.
    load: Vec<usize>,
    /// Splits, ends and the like that were used up.
    spent: Vec<bool>,
}

const NAME_FIRST: [&str; 24] = [
    "Spring",
    "Harbour",
    "Dog food",
    "Night market",
    "Atlas",
    "Paper moon",
    "Glacier",
    "Citrus",
    "Velvet",
    "Lantern",
    "Orchard",
    "Tidal",
    "Marble",
    "Copper",
    "Saffron",
    "Meadow",
    "Signal",
    "Quarry",
    "Foxglove",
    "Monsoon",
    "Cinder",
    "Juniper",
    "Halftone",
    "Riverbed",
];
const NAME_LAST: [&str; 20] = [
    "lookbook",
    "teaser",
    "launch film",
    "storyboard",
    "trailer",
    "explainer",
    "pitch",
    "spot",
    "title sequence",
    "bumper",
    "social cut",
    "mood film",
    "product loop",
    "music video",
    "case film",
    "animatic",
    "intro",
    "reel",
    "campaign",
    "test shoot",
];
const LABELS: [&str; 12] = [
    "Shot 1",
    "Shot 2",
    "Shot 4",
    "B-roll 2",
    "Opening",
    "Hero",
    "Cutaway",
    "Logo sting",
    "Scene 9",
    "Voice take",
    "Wide",
    "Close-up",
];

impl Stage {
    #[must_use]
    pub fn new(seed: u64, anchor: Timestamp, kept: Kept) -> Self {
        let cast = crate::cast::gather(seed, anchor);
        let people = cast.customers.len();
        Self {
            dice: Dice::new(seed, "scenarios"),
            anchor,
            kept,
            projects: Vec::new(),
            purse_of: Vec::new(),
            nodes: Vec::new(),
            tales: Vec::new(),
            sketches: Vec::new(),
            past: Vec::new(),
            busy: vec![Vec::new(); people],
            load: vec![0; people],
            spent: vec![false; people],
            cast,
        }
    }

    /// The instant some minutes before the anchor.
    #[must_use]
    pub fn ago(&self, minutes: i64) -> Timestamp {
        after(self.anchor, -minutes * 60)
    }

    /// Some instant between so many minutes before the anchor.
    pub fn between_ago(&mut self, from: i64, to: i64) -> Timestamp {
        let minutes = self.dice.between(from, to);
        self.ago(minutes)
    }

    /// A customer of this part and a start between `from` and `to` minutes ago that is far from
    /// the other complaints of that customer. Among several the least burdened one is taken.
    pub fn fresh(&mut self, part: Part, from: i64, to: i64) -> (usize, Timestamp) {
        let mut best: Option<(usize, usize, Timestamp)> = None;
        for _ in 0..120 {
            let customer = self.dice.index(self.cast.customers.len());
            let at = after(self.between_ago(from, to), self.dice.between(-29, 29));
            let fits =
                self.cast.customers.get(customer).is_some_and(|row| row.part == part) && self.is_free(customer, at);
            let load = self.load.get(customer).copied().unwrap_or(0);
            if fits && best.is_none_or(|(least, ..)| load < least) {
                best = Some((load, customer, at));
            }
        }
        let (_, customer, at) = best.unwrap_or_else(|| {
            // Everybody has complained about that time: the scenario goes to whoever comes first, further back.
            let customer = self.cast.customers.iter().position(|row| row.part == part).unwrap_or(0);
            (0, customer, self.ago(to))
        });
        self.reserve(customer, at);
        (customer, at)
    }

    /// As `fresh`, for one that is used only once (a split charge for instance). `None`: used up.
    pub fn fresh_once(&mut self, part: Part, from: i64, to: i64) -> Option<(usize, Timestamp)> {
        let customer = (0..self.cast.customers.len()).find(|at| {
            self.cast.customers.get(*at).is_some_and(|row| row.part == part) && self.spent.get(*at) == Some(&false)
        })?;
        if let Some(spent) = self.spent.get_mut(customer) {
            *spent = true;
        }
        let at = self.between_ago(from, to);
        self.reserve(customer, at);
        Some((customer, at))
    }

    fn is_free(&self, customer: usize, at: Timestamp) -> bool {
        self.busy
            .get(customer)
            .is_some_and(|taken| taken.iter().all(|other| (other.as_second() - at.as_second()).abs() >= APART_SECONDS))
    }

    /// Whether no complaint of a customer is near this time, nor of anyone who shares a workspace.
    #[must_use]
    pub fn is_quiet(&self, customer: usize, at: Timestamp) -> bool {
        let near = |who: usize| {
            self.cast.studios.iter().any(|row| row.active.contains(&customer) && row.active.contains(&who))
        };
        (0..self.cast.customers.len()).filter(|who| *who == customer || near(*who)).all(|who| self.is_free(who, at))
    }

    /// Keeps a time of a customer for one complaint.
    pub fn reserve(&mut self, customer: usize, at: Timestamp) {
        if let Some(taken) = self.busy.get_mut(customer) {
            taken.push(at);
        }
        if let Some(load) = self.load.get_mut(customer) {
            *load += 1;
        }
    }

    /// A new project of the customer's own, with nodes; the spot is its first node.
    pub fn personal(&mut self, customer: usize) -> Option<Spot> {
        let purse = self.cast.customers.get(customer)?.purse;
        self.project(customer, purse, None)
    }

    /// A new project of a workspace, run by one of its people.
    pub fn shared(&mut self, studio: usize, customer: usize) -> Option<Spot> {
        let row = self.cast.studios.get(studio)?;
        let (purse, workspace) = (row.purse, row.workspace.id.clone());
        self.project(customer, purse, Some(workspace))
    }

    fn project(
        &mut self,
        customer: usize,
        purse: usize,
        workspace_id: Option<makegood_domain::ids::WorkspaceId>,
    ) -> Option<Spot> {
        let account_id = self.cast.purses.get(purse)?.id.clone();
        let starter = self.cast.customers.get(customer)?.user.id.clone();
        let id = ProjectId::new(self.dice.id("prj_", 8));
        let count = self.projects.len();
        let name = project_name(count);
        self.projects.push(Project {
            id: id.clone(),
            name,
            account_id,
            workspace_id,
            status: Presence::Active,
            deleted_at: None,
        });
        self.purse_of.push(purse);
        let first = self.node(&id)?;
        self.node(&id)?;
        Some(Spot { customer, purse, project: count, project_id: id, node_id: first, starter })
    }

    /// A new node of a project.
    pub fn node(&mut self, project: &ProjectId) -> Option<NodeId> {
        let used = self.nodes.iter().rev().take_while(|node| node.project_id == *project).count();
        let start = self.projects.len() * 5 + used;
        let label = LABELS.get(start % LABELS.len())?;
        let id = NodeId::new(self.dice.id("nd_", 6));
        self.nodes.push(Node {
            id: id.clone(),
            project_id: project.clone(),
            label: (*label).to_owned(),
            status: Presence::Active,
            deleted_at: None,
        });
        Some(id)
    }

    /// An offer of this provider, of any kind.
    pub fn offer_at(&mut self, provider: &str) -> &'static Offer {
        let fitting: Vec<&'static Offer> = OFFERS.iter().filter(|offer| offer.provider == provider).collect();
        self.dice.pick(&fitting).copied().unwrap_or(&OFFERS[0])
    }

    /// An offer by its id.
    #[must_use]
    pub fn offer(id: &str) -> &'static Offer {
        OFFERS.iter().find(|offer| offer.id == id).unwrap_or(&OFFERS[0])
    }

    /// Seconds that this run takes upstream, more or less as usual.
    pub fn takes(&mut self, offer: &Offer) -> i64 {
        (offer.takes * self.dice.between(80, 130) / 100).max(4)
    }

    /// Adds a tale; its index.
    pub fn tell(&mut self, tale: Tale) -> usize {
        self.tales.push(tale);
        self.tales.len() - 1
    }

    /// When a ticket about a tale is written: `share` per cent of the way from its last event to the anchor.
    #[must_use]
    pub fn written(&self, tale: usize, share: i64) -> Timestamp {
        let last = self.tales.get(tale).map_or(self.anchor, Tale::last_event).min(self.anchor);
        let span = self.anchor.as_second() - last.as_second();
        after(last, span * share.clamp(0, 100) / 100)
    }
}

/// Names that never repeat for the first 480 projects, and are numbered after that.
fn project_name(count: usize) -> String {
    // 7 and 24 have no common factor, so all pairs come up before one repeats.
    let first = NAME_FIRST[(count * 7) % NAME_FIRST.len()];
    let last = NAME_LAST[(count / NAME_FIRST.len() + count % NAME_FIRST.len()) % NAME_LAST.len()];
    match count / (NAME_FIRST.len() * NAME_LAST.len()) {
        0 => format!("{first} {last}"),
        round => format!("{first} {last} {}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn project_names_do_not_repeat() {
        let names: BTreeSet<String> = (0..1000).map(super::project_name).collect();
        assert_eq!(names.len(), 1000);
    }
}
