//! What a record's own list of schema changes means to a program that knows another list.

/// Why a record that a newer program has changed is only read: `number` and `name` are its newest
/// change, `known` is how many this program knows.
pub(crate) fn newer(record: &str, number: i64, name: &str, known: usize) -> String {
    format!(
        "{record} was changed by a newer Makegood (schema {number}, {name}; this one knows {known}), and is only read: \
         install that version to go on working"
    )
}

/// Why a record whose past is another one is not opened.
pub(crate) fn other_past(number: i64, name: &str, known: &str) -> String {
    format!("schema change {number} of the record ({name}) is not the one that this Makegood knows ({known})")
}
