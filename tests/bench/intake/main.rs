//! What the way in costs: `cargo bench --no-default-features --bench intake [-- PART ...] [--events N] [--rounds N]`.
//!
//! Parts: `sqlite`, `postgres`; both without one. `makegoodctl import` takes a file of N events (1,000,000 on
//! demand) into an empty record; the reference puts the very rows that came of it into the same empty tables,
//! bare: a prepared insert a row on SQLite, `COPY` on PostgreSQL. Every figure is a ratio of the two from
//! the same round, the median over rounds. Asserts nothing; the targets stand beside the figures.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod feed;
mod import;
mod postgres;
mod sqlite;

/// What to measure, and how much of it.
pub struct Wanted {
    parts: Vec<String>,
    pub events: u64,
    pub rounds: usize,
}

impl Wanted {
    fn from_args() -> Self {
        let mut wanted = Self { parts: Vec::new(), events: 50_000, rounds: 5 };
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            let mut number =
                || args.next().and_then(|text| text.parse::<u64>().ok()).expect("a number after the option");
            match arg.as_str() {
                "--events" => wanted.events = number(),
                "--rounds" => wanted.rounds = usize::try_from(number()).expect("a small number"),
                part => wanted.parts.push(part.to_owned()),
            }
        }
        wanted
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn main() {
    let wanted = Wanted::from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if wanted.has("sqlite") {
            sqlite::measure(&wanted).await;
        }
        if wanted.has("postgres") {
            postgres::measure(&wanted).await;
        }
    });
}

/// One round: seconds of the import and of the reference, and the most memory that the import held.
pub struct Round {
    pub import: f64,
    pub reference: f64,
    pub memory_kib: u64,
}

/// One line of the report: the median of the ratios, and the memory at its worst.
pub fn tell(what: &str, events: u64, rounds: &[Round]) {
    let median = |value: fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().expect("at least one round")
    };
    let ratio = median(|round| round.reference / round.import);
    let memory = rounds.iter().map(|round| round.memory_kib).max().unwrap_or_default() / 1024;
    let each = |seconds: f64| events as f64 / seconds;
    println!(
        "{what:<44} {:>8.0} events/s   reference {:>8.0} events/s   {ratio:>5.2} ×   ≥ 0.5   memory {memory} MiB",
        each(median(|round| round.import)),
        each(median(|round| round.reference)),
    );
}
