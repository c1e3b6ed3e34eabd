//! The named points of a program: before and after each call of the record, the vault and the
//! provider. At one of them the program can be made to stand still; whoever started it then kills it,
//! stops it, or lets it go on.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::ActionKey;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, Store, StoreResult};

use crate::between::Between;

/// What a program says when it stands still. It goes on when it is told anything.
pub const STANDS: &str = "stands";
/// What it says before the name of each point it passes, where it is asked to.
pub const POINT: &str = "point ";
/// What a program that stands still is told, for it to break as a defect breaks it: with all that is cleared
/// away on the way out.
pub const PANIC: &str = "panic";
/// Before the number of bytes that a provider gave it.
pub const FETCHED: &str = "fetched ";
/// Before the reason for which the record refused it an effect.
pub const REFUSED: &str = "refused ";

/// The points that a program passed, and where it is to stand still.
#[derive(Debug)]
pub struct Marks {
    stand_at: Option<String>,
    told: bool,
    passed: Mutex<BTreeMap<String, u32>>,
}

impl Marks {
    pub fn new(stand_at: Option<String>, told: bool) -> Self {
        Self { stand_at, told, passed: Mutex::default() }
    }

    /// Passes the point before or after a call. The n-th time that a program does so is a point of its own.
    pub fn pass(&self, call: &str, side: &str) {
        let name = {
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            let times = passed.entry(format!("{call}.{side}")).or_default();
            *times += 1;
            format!("{call}.{side}.{times}")
        };
        if self.told {
            say(&format!("{POINT}{name}"));
        }
        if self.stand_at.as_ref() == Some(&name) {
            say(STANDS);
            // The end of the input is no order to go on, but whoever could give one is gone.
            let mut order = String::new();
            let _told = std::io::stdin().lock().read_line(&mut order);
            assert!(order.trim() != PANIC, "told to panic at {name}");
        }
    }
}

/// A line to whoever started this program. One that nobody hears is not missed.
pub fn say(line: &str) {
    let mut output = std::io::stdout();
    let _unheard = writeln!(output, "{line}").and_then(|()| output.flush());
}

#[async_trait]
impl Between for Marks {
    async fn before(&self, call: &'static str) -> StoreResult<()> {
        self.pass(call, "before");
        Ok(())
    }

    async fn after(&self, call: &'static str) -> StoreResult<()> {
        self.pass(call, "after");
        Ok(())
    }

    async fn apply(
        &self,
        store: &dyn Store,
        key: &ActionKey,
        step: u32,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        store.apply(key, step, part, effect, at).await.inspect(tell_refusal)
    }

    async fn settle(
        &self,
        store: &dyn Store,
        key: &ActionKey,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        store.settle(key, part, effect, at).await.inspect(tell_refusal)
    }
}

fn tell_refusal(applied: &Applied) {
    if let Applied::Refused(why) = applied {
        say(&format!("{REFUSED}{why}"));
    }
}
