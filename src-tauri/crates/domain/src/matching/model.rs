//! Which models of the catalogue a reference means (P2): an alias, name or id, else a family.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::ids::ModelId;
use crate::scope::Scope;
use crate::work::Model;

/// The models that the references stand for, together; `None` where all are unknown or there are none.
#[must_use]
pub fn resolve(references: &[String], scope: &Scope) -> Option<BTreeSet<ModelId>> {
    let found: BTreeSet<ModelId> = references.iter().flat_map(|text| models_of(text, &scope.models)).collect();
    (!found.is_empty()).then_some(found)
}

fn models_of(reference: &str, models: &[Model]) -> BTreeSet<ModelId> {
    let wanted = fold(reference);
    if wanted.is_empty() {
        return BTreeSet::new();
    }
    let named: BTreeSet<ModelId> = models
        .iter()
        .filter(|model| {
            fold(&model.display_name) == wanted
                || fold(model.id.as_str()) == wanted
                || model.aliases.iter().any(|alias| fold(alias) == wanted)
        })
        .map(|model| model.id.clone())
        .collect();
    if !named.is_empty() {
        return named;
    }
    models.iter().filter(|model| fold(&model.family) == wanted).map(|model| model.id.clone()).collect()
}

/// Letters and digits alone, in one case and one width: "Lip-Sync 2" and "lip sync 2" are one name.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).collect()
}
