//! The contract as TypeScript. A test holds the committed file against this text.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use makegood_domain::diagnose::{Flag, ItemActionKind, Remedy, Verdict};
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::{ActionKind, CaseState};
use makegood_domain::ports::{ApprovalState, DetectionKind, DraftKind, KeyVerdict, QueueOrder, Role};
use makegood_domain::support::MessageKind;
use ts_rs::{Config, TS, TypeVisitor};

use super::*;

struct Collector<'a> {
    config: &'a Config,
    seen: HashSet<TypeId>,
    types: BTreeMap<String, String>,
}

impl Collector<'_> {
    fn add<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            self.types.insert(T::ident(self.config), T::decl(self.config));
        }
        T::visit_dependencies(self);
    }
}

impl TypeVisitor for Collector<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.add::<T>();
    }
}

macro_rules! signatures {
    ($($group:ident { $($name:ident($request:ty) -> $answer:ty;)+ })+) => {
        fn collect(collector: &mut Collector<'_>) -> String {
            let mut maps = String::new();
            $(
                let title = match stringify!($group) { "query" => "QueryCommands", _ => "ActCommands" };
                let mut body = String::new();
                $(
                    collector.add::<$request>();
                    collector.add::<$answer>();
                    let (request, answer) = (<$request>::ident(collector.config), <$answer>::ident(collector.config));
                    body.push_str(&format!("  {}: [{request}, {answer}];\n", stringify!($name)));
                )+
                maps.push_str(&format!("\nexport type {title} = {{\n{body}}};\n"));
            )+
            maps
        }
    };
}
with_commands!(signatures);

fn union<W: Copy>(out: &mut String, name: &str, all: &[W], word: impl Fn(W) -> &'static str) {
    let words: Vec<String> = all.iter().map(|w| format!("\"{}\"", word(*w))).collect();
    // Writing to a String cannot fail.
    let _written = writeln!(out, "export type {name} = {};", words.join(" | "));
}

/// The whole generated file.
#[must_use]
pub fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut collector = Collector { config: &config, seen: HashSet::new(), types: BTreeMap::new() };
    let maps = collect(&mut collector);
    collector.add::<WireError>();
    collector.add::<Topic>();
    collector.add::<Opening>();
    let mut out = String::from(
        "// Generated from the Rust contract (crates/app/src/contract). Do not edit: run `make generated`.\n\n",
    );
    union(&mut out, "Verdict", Verdict::ALL, Verdict::word);
    union(&mut out, "Remedy", Remedy::ALL, Remedy::word);
    union(&mut out, "Flag", Flag::ALL, Flag::word);
    union(&mut out, "ItemActionKind", ItemActionKind::ALL, ItemActionKind::word);
    union(&mut out, "BalanceKind", BalanceKind::ALL, BalanceKind::word);
    union(&mut out, "ActionKind", ActionKind::ALL, ActionKind::word);
    union(&mut out, "CaseState", CaseState::ALL, CaseState::word);
    union(&mut out, "QueueOrder", QueueOrder::ALL, QueueOrder::word);
    union(&mut out, "DraftKind", DraftKind::ALL, DraftKind::word);
    union(&mut out, "DetectionKind", DetectionKind::ALL, DetectionKind::word);
    union(&mut out, "ApprovalState", ApprovalState::ALL, ApprovalState::word);
    union(&mut out, "Role", Role::ALL, Role::word);
    union(&mut out, "KeyVerdict", KeyVerdict::ALL, KeyVerdict::word);
    union(&mut out, "MessageKind", MessageKind::ALL, MessageKind::word);
    for declaration in collector.types.values() {
        out.push_str("\nexport ");
        out.push_str(declaration);
        out.push('\n');
    }
    out.push_str(&maps);
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// `make generated` sets `MAKEGOOD_WRITE_GENERATED` and so rewrites the file; otherwise a
    /// difference fails, because the window would be compiled against another contract.
    #[test]
    fn the_committed_typescript_is_the_contract() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/lib/ipc/generated/contract.ts");
        let text = super::typescript();
        if std::env::var_os("MAKEGOOD_WRITE_GENERATED").is_some() {
            std::fs::create_dir_all(path.parent().expect("the path has a folder")).expect("the folder can be made");
            std::fs::write(&path, &text).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "ui/src/lib/ipc/generated/contract.ts is out of date: run `make generated`");
    }
}
