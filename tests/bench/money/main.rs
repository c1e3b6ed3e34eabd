//! What money costs: `cargo bench --no-default-features --bench money [-- PART ...] [--history N]`.
//!
//! Parts: `sqlite`, `postgres`, `history`; all without one. Every figure is a ratio against a reference that
//! was taken in the same run, in turn with it: the median over rounds. Asserts nothing; the targets
//! stand beside the figures.
//!
//! What was seen on a virtual machine with two cores and a virtual disk (ext4); all but the restorations on PostgreSQL
//! while others worked on it, so that single runs differ by a factor of two:
//!
//! | | target | seen |
//! | --- | --- | --- |
//! | SQLite, one by one, to bare inserts | 0.8 | 0.3 to 0.8: missed |
//! | SQLite, 32 at once, to one by one | 6 | 5.5 to 11.4, in the middle 6.5 |
//! | PostgreSQL, to `pgbench` of the same, 1, 8 and 32 at once | 0.8 | 0.9, 2.0, 4.6 |
//! | PostgreSQL, to TPC-B, 8 at once | 0.7 | 0.50: missed |
//! | PostgreSQL, to TPC-B, 32 at once | 0.7 | 0.84 |
//! | PostgreSQL, one pool, 32 at once, to one row | 3 | 9.0 |
//! | a pass beside 3,000,000 settled runs, to beside 30,000 | 1.3 | 1.26 on SQLite, 1.23 on PostgreSQL |
//! | full scan of 3,000,000 runs, to the anti-join | 2 | 0.9 on SQLite; 4.8 on PostgreSQL, 1.6 at 1,000,000: the server joins with several processes, the scan has one |
//!
//! With 8 at once a call on PostgreSQL holds four restorations. It takes about 0.7 ms of the server's CPU for each, with
//! eight in a call 0.45 ms, and a transaction of TPC-B 0.36 ms. A third of it is the start of some thirty
//! statements and the finding of their plans; the rest is rows, indexes, references and checks, which are not for sale.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod history;
mod pgbench;
mod postgres;
mod rows;
mod sqlite;
mod world;

/// Rounds of a comparison; the median of their ratios counts.
const ROUNDS: usize = 5;

/// What to measure, and how much of it.
pub struct Wanted {
    parts: Vec<String>,
    /// Settled runs of the long history; the short one has a hundredth.
    pub history: u64,
}

impl Wanted {
    fn from_args() -> Self {
        let mut wanted = Self { parts: Vec::new(), history: 10_000_000 };
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|text| text.parse().ok()).expect("a number after the option");
            match arg.as_str() {
                "--history" => wanted.history = number(),
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
            sqlite::measure().await;
        }
        if wanted.has("postgres") {
            postgres::measure().await;
        }
        if wanted.has("history") {
            history::measure(&wanted).await;
        }
    });
}

/// One line of the report. `ratio` is how many times the reference.
pub fn tell(what: &str, per_second: f64, reference: f64, ratio: f64, target: &str) {
    println!("{what:<52} {per_second:>9.0} /s   reference {reference:>9.0} /s   {ratio:>6.2} ×   {target}");
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().expect("at least one round")
}
