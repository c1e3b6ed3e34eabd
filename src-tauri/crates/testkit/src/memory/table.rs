//! Rows by key, with the means to take back what a unit of work changed.

use std::collections::BTreeMap;
use std::ops::Deref;

/// A table. It is read as a map; every change goes through [`Table::put`] and [`Table::remove`], which
/// remember what was there before.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    before: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: Vec::new() }
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn put(&mut self, key: K, row: V) {
        let known = self.rows.insert(key.clone(), row);
        self.before.push((key, known));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(known) = self.rows.remove(key) {
            self.before.push((key.clone(), Some(known)));
        }
    }

    /// How much has been changed, to come back to by [`Table::undo`].
    pub(super) fn mark(&self) -> usize {
        self.before.len()
    }

    pub(super) fn undo(&mut self, mark: usize) {
        while self.before.len() > mark {
            match self.before.pop() {
                Some((key, Some(row))) => drop(self.rows.insert(key, row)),
                Some((key, None)) => drop(self.rows.remove(&key)),
                None => {}
            }
        }
    }

    pub(super) fn keep(&mut self) {
        self.before.clear();
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// Changes a row, where there is one.
    pub(super) fn edit(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(row) = self.rows.get_mut(key) {
            self.before.push((key.clone(), Some(row.clone())));
            change(row);
        }
    }
}

impl<V> Table<i64, V> {
    /// Adds a row under the number after the last one, from 1.
    pub(super) fn add(&mut self, row: V) -> i64 {
        let number = self.rows.last_key_value().map_or(1, |(last, _)| last + 1);
        self.put(number, row);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut table: Table<i64, &str> = Table::default();
        table.add("one");
        table.keep();
        let mark = table.mark();
        table.add("two");
        table.edit(&1, |row| *row = "uno");
        table.remove(&1);
        assert_eq!(table.values().copied().collect::<Vec<_>>(), ["two"]);
        table.undo(mark);
        assert_eq!(table.values().copied().collect::<Vec<_>>(), ["one"]);
    }
}
