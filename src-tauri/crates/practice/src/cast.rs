//! The people of the practice world: customers, their accounts, and the workspaces they share.

use jiff::{Timestamp, ToSpan};
use makegood_domain::ids::{AccountId, BalanceId, UserId, WorkspaceId};
use makegood_domain::ledger::{AccountKind, SubscriptionStatus};
use makegood_domain::work::{Member, MemberRole, MemberStatus, User, Workspace};

use crate::dice::Dice;

/// A locale with its time zones and the people who write in it: name, mailbox.
struct Region {
    tag: &'static str,
    zones: &'static [&'static str],
    people: [(&'static str, &'static str); 5],
}

const REGIONS: [Region; 8] = [
    Region {
        tag: "en-US",
        zones: &["America/New_York", "America/Los_Angeles", "America/Chicago"],
        people: [
            ("Mara Whitlock", "studio.whitlock"),
            ("Devon Ames", "devon.ames"),
            ("Priya Raman", "priya.makes"),
            ("Caleb Ortiz", "c.ortiz"),
            ("June Halloran", "june.halloran"),
        ],
    },
    Region {
        tag: "en-GB",
        zones: &["Europe/London"],
        people: [
            ("Imogen Clarke", "imogen.clarke"),
            ("Rhys Pugh", "rhys.pugh"),
            ("Tess Okafor", "tess.okafor"),
            ("Angus Muir", "angus.muir"),
            ("Nell Barrow", "nell.barrow"),
        ],
    },
    Region {
        tag: "de-DE",
        zones: &["Europe/Berlin"],
        people: [
            ("Jonas Ebert", "j.ebert"),
            ("Katrin Vogt", "katrin.vogt"),
            ("Lena Brückner", "lena.brueckner"),
            ("Malte Sievers", "malte.sievers"),
            ("Anke Rothe", "anke.rothe"),
        ],
    },
    Region {
        tag: "es-MX",
        zones: &["America/Mexico_City"],
        people: [
            ("Ximena Robles", "ximena.robles"),
            ("Diego Cárdenas", "diego.cardenas"),
            ("Paola Ibarra", "paola.ibarra"),
            ("Emilio Tovar", "emilio.tovar"),
            ("Renata Salas", "renata.salas"),
        ],
    },
    Region {
        tag: "pt-BR",
        zones: &["America/Sao_Paulo"],
        people: [
            ("Bianca Teles", "bianca.teles"),
            ("Caio Prado", "caio.prado"),
            ("Lívia Moura", "livia.moura"),
            ("Otávio Rezende", "otavio.rezende"),
            ("Helena Furtado", "helena.furtado"),
        ],
    },
    Region {
        tag: "fr-FR",
        zones: &["Europe/Paris"],
        people: [
            ("Camille Astier", "camille.astier"),
            ("Hugo Vasseur", "hugo.vasseur"),
            ("Inès Delmas", "ines.delmas"),
            ("Théo Garnier", "theo.garnier"),
            ("Maud Lescure", "maud.lescure"),
        ],
    },
    Region {
        tag: "ja-JP",
        zones: &["Asia/Tokyo"],
        people: [
            ("佐々木 遥", "haruka.sasaki"),
            ("藤田 健", "ken.fujita"),
            ("中村 葵", "aoi.nakamura"),
            ("小林 蓮", "ren.kobayashi"),
            ("森 美咲", "misaki.mori"),
        ],
    },
    Region {
        tag: "nl-NL",
        zones: &["Europe/Amsterdam"],
        people: [
            ("Sanne de Wit", "sanne.dewit"),
            ("Bram Hoekstra", "bram.hoekstra"),
            ("Femke Visser", "femke.visser"),
            ("Joris Maas", "joris.maas"),
            ("Lotte Kuiper", "lotte.kuiper"),
        ],
    },
];

/// What a customer's account is for in the practice world; settled once, so that one scenario does
/// not spoil another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Regular,
    /// No storage left: recovered files are held.
    Full,
    /// The subscription has ended.
    Ended,
    /// One charge empties the quota and takes the rest from the wallet.
    Split,
}

/// A customer. `index` in `Cast::customers` is how the rest of the world names one.
pub struct Customer {
    pub user: User,
    pub name: &'static str,
    pub locale: &'static str,
    pub zone: &'static str,
    /// The personal account.
    pub purse: usize,
    pub part: Part,
    /// Workspaces of which the customer is an active member.
    pub studios: Vec<usize>,
}

/// An account before its ledger is settled.
pub struct Purse {
    pub id: AccountId,
    pub kind: AccountKind,
    pub owner: UserId,
    pub quota: BalanceId,
    pub wallet: BalanceId,
    pub status: SubscriptionStatus,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    pub storage_used_mb: i64,
    pub workspace: Option<WorkspaceId>,
}

/// Megabytes of files that an account may keep.
pub const STORAGE_QUOTA_MB: i64 = 50_000;

/// A shared workspace.
pub struct Studio {
    pub workspace: Workspace,
    pub purse: usize,
    /// Customers who are active members, the owner first.
    pub active: Vec<usize>,
    pub left: Vec<usize>,
}

/// Everybody.
pub struct Cast {
    pub customers: Vec<Customer>,
    pub purses: Vec<Purse>,
    pub studios: Vec<Studio>,
}

/// Name of a workspace; customers by index: the owner and active ones, then those who left.
type StudioRow = (&'static str, [usize; 3], Option<usize>);

/// Every fifth place is a role (`part`), so members are taken from the regular ones.
const STUDIOS: [StudioRow; 3] = [
    ("Northlight Agency", [5, 6, 10], Some(7)),
    ("Casa Marea Films", [15, 20, 21], None),
    ("Kumo Works", [30, 31, 26], None),
];

/// Makes everybody.
#[must_use]
pub fn gather(seed: u64, anchor: Timestamp) -> Cast {
    let mut dice = Dice::new(seed, "cast");
    let mut cast = Cast { customers: Vec::new(), purses: Vec::new(), studios: Vec::new() };
    for region in &REGIONS {
        for (place, (name, mailbox)) in region.people.iter().enumerate() {
            add_customer(&mut cast, &mut dice, anchor, region, place, (name, mailbox));
        }
    }
    for row in STUDIOS {
        add_studio(&mut cast, &mut dice, anchor, row);
    }
    cast
}

/// Places 0 to 2 of a region are regular; 3 and 4 take the roles in turn.
fn part(index: usize, place: usize) -> Part {
    match (place, index % 10) {
        (3, 3) | (4, 9) => Part::Split,
        (3, 8) => Part::Full,
        (4, 4) => Part::Ended,
        _ => Part::Regular,
    }
}

fn add_customer(
    cast: &mut Cast,
    dice: &mut Dice,
    anchor: Timestamp,
    region: &Region,
    place: usize,
    (name, mailbox): (&'static str, &'static str),
) {
    let index = cast.customers.len();
    let part = part(index, place);
    let user = User {
        id: UserId::new(dice.id("usr_", 6)),
        email: format!("{mailbox}@example.com"),
        timezone: dice.pick(region.zones).map(|zone| (*zone).to_owned()),
        locale: Some(region.tag.to_owned()),
    };
    let zone = region.zones.iter().find(|zone| user.timezone.as_deref() == Some(**zone)).copied().unwrap_or("UTC");
    let mut purse = purse(dice, anchor, AccountKind::Personal, user.id.clone());
    match part {
        Part::Full => purse.storage_used_mb = STORAGE_QUOTA_MB,
        Part::Ended => {
            purse.status = SubscriptionStatus::Ended;
            // The last period of an ended plan is over.
            purse.period_end = days_before(anchor, 1);
            purse.period_start = days_before(anchor, 31);
        }
        Part::Regular | Part::Split => {}
    }
    cast.purses.push(purse);
    cast.customers.push(Customer {
        user,
        name,
        locale: region.tag,
        zone,
        purse: cast.purses.len() - 1,
        part,
        studios: Vec::new(),
    });
}

fn purse(dice: &mut Dice, anchor: Timestamp, kind: AccountKind, owner: UserId) -> Purse {
    let stem = dice.id("", 6);
    // Renewed between 12 and 27 days ago, at a whole hour; long enough ago for most of what is complained about.
    let period_start = days_before(anchor, dice.between(12, 27));
    Purse {
        id: AccountId::new(dice.id("acc_", 6)),
        kind,
        owner,
        quota: BalanceId::new(format!("bal_{stem}_q")),
        wallet: BalanceId::new(format!("bal_{stem}_w")),
        status: SubscriptionStatus::Active,
        period_start,
        period_end: days_before(period_start, -30),
        storage_used_mb: dice.between(2_000, 38_000),
        workspace: None,
    }
}

fn add_studio(cast: &mut Cast, dice: &mut Dice, anchor: Timestamp, (name, active, left): StudioRow) {
    let studio = cast.studios.len();
    let id = WorkspaceId::new(dice.id("ws_", 6));
    let mut members = Vec::new();
    for (place, index) in active.iter().enumerate() {
        let Some(customer) = cast.customers.get_mut(*index) else { continue };
        customer.studios.push(studio);
        let role = match place {
            0 => MemberRole::Owner,
            1 => MemberRole::Admin,
            _ => MemberRole::Member,
        };
        members.push(Member { user_id: customer.user.id.clone(), role, status: MemberStatus::Active, left_at: None });
    }
    for customer in left.iter().filter_map(|index| cast.customers.get(*index)) {
        members.push(Member {
            user_id: customer.user.id.clone(),
            role: MemberRole::Member,
            status: MemberStatus::Left,
            left_at: Some(days_before(anchor, 1)),
        });
    }
    let owner = members.first().map_or_else(|| UserId::from("usr_unknown"), |member| member.user_id.clone());
    let mut purse = purse(dice, anchor, AccountKind::Workspace, owner);
    purse.workspace = Some(id.clone());
    cast.purses.push(purse);
    let workspace = Workspace {
        id,
        name: name.to_owned(),
        account_id: cast.purses.last().map_or_else(|| AccountId::from(""), |purse| purse.id.clone()),
        members,
    };
    cast.studios.push(Studio {
        workspace,
        purse: cast.purses.len() - 1,
        active: active.to_vec(),
        left: left.into_iter().collect(),
    });
}

/// Whole days before an instant, cut to the hour; negative days come after.
#[must_use]
pub fn days_before(at: Timestamp, days: i64) -> Timestamp {
    let hour = at.as_second() - at.as_second().rem_euclid(3600);
    Timestamp::from_second(hour).unwrap_or(at).checked_sub((days * 24).hours()).unwrap_or(at)
}
