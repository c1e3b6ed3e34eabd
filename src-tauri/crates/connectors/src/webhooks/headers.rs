//! Headers of a delivery. A header that decides is there exactly once, or the delivery is refused: two
//! values could mean one thing to a proxy and another here.

use super::Refusal;

/// Names in lower case with their values.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(pub &'a [(String, String)]);

impl<'a> Headers<'a> {
    /// The only value of a header.
    ///
    /// # Errors
    /// When it is not there, or more than once.
    pub fn one(self, name: &'static str) -> Result<&'a str, Refusal> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(Refusal::Missing(name)),
            (Some(_), Some(_)) => Err(Refusal::Twice(name)),
        }
    }
}
