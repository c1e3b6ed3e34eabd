//! Providers from the keeper's side: what is set up and how it fares, keys in and never out, and the
//! question whether a provider takes one.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{
    AdapterInfo, Capability, Connection, ConnectionChange, ConnectionError, Connections, FileRetention, Health,
    KeyPlace, KeyringState, NewConnection,
};

use crate::contract::*;
use crate::desk::{Desk, Timer};
use crate::error::{Error, Result};

/// The longest key that any provider gives out is some hundred bytes; service accounts are longer.
const KEY_BYTES_MAX: usize = 8 * 1024;
/// Why no passes are started while a provider has no key.
const UNASKED: &str = "it could not be asked, and credits would go back for files that are there. Passes start when it \
    has one";
/// Longest id, name, address or variable, in characters.
const NAME_CHARS_MAX: usize = 200;

impl Desk {
    /// Every provider that is set up or could be.
    ///
    /// # Errors
    /// When this program keeps no providers.
    pub async fn connections(&self, _: Nothing) -> Result<ConnectionsView> {
        let (kept, now) = (self.kept()?, self.now());
        let keyring = match kept.keyring().await {
            KeyringState::Ready(name) => KeyringView { name: Some(name.to_owned()), why: None },
            KeyringState::Absent(why) => KeyringView { name: None, why: Some(why) },
        };
        Ok(ConnectionsView {
            now,
            keyring,
            closed_because: kept.closed_because(),
            rows: kept.connections().into_iter().map(|one| row(one, now)).collect(),
            adapters: kept.adapters().into_iter().map(adapter).collect(),
        })
    }

    /// Keeps a key in the system's keyring, and goes on with it.
    ///
    /// # Errors
    /// When it is no key, or is not kept; nothing was changed then.
    pub async fn put_key(&self, request: PutKeyRequest) -> Result<ConnectionRow> {
        let id = ProviderId(request.id);
        let form = self.row_of(&id)?.adapter.key_form;
        let key = usable(&request.key, &form)?;
        let kept = self.kept()?.put_key(&id, key, request.revision).await;
        // Also where it was refused: what is there may have turned out to be another key.
        self.keys_changed();
        kept?;
        self.note(&id, ConnectionChange::KeySet, "kept").await?;
        self.row_of(&id)
    }

    /// Takes a key out of the system's keyring.
    ///
    /// # Errors
    /// When it is still there.
    pub async fn remove_key(&self, request: RemoveKeyRequest) -> Result<ConnectionRow> {
        let id = ProviderId(request.id);
        let removed = self.kept()?.remove_key(&id, request.revision).await;
        self.keys_changed();
        removed?;
        self.note(&id, ConnectionChange::KeyRemoved, "removed").await?;
        self.row_of(&id)
    }

    /// Asks a provider whether it takes the key, by a question that changes nothing.
    ///
    /// # Errors
    /// When there is no such provider. What the provider says is no error.
    pub async fn check_key(&self, request: ConnectionRequest) -> Result<KeyCheckView> {
        let (id, at) = (ProviderId(request.id), self.now());
        let check = self.kept()?.check(&id, at).await?;
        self.changed(Topic::Connections);
        self.note(&id, ConnectionChange::KeyTested, check.verdict.word()).await?;
        let answer = |raw: makegood_domain::ports::RawAnswer| RawAnswerView {
            url: raw.url,
            status: raw.status,
            body: raw.body,
            fetched_at: raw.fetched_at,
        };
        Ok(KeyCheckView {
            verdict: check.verdict,
            words: check.words,
            at,
            took_ms: millis(check.took),
            answers: check.raw.into_iter().map(answer).collect(),
        })
    }

    /// Forgets a connection's failures. A pause that the provider asked for is kept.
    ///
    /// # Errors
    /// When there is no such provider.
    pub async fn reset_connection(&self, request: ConnectionRequest) -> Result<ConnectionRow> {
        let id = ProviderId(request.id);
        self.kept()?.reset(&id)?;
        self.changed(Topic::Connections);
        self.row_of(&id)
    }

    /// Writes a provider into the settings and connects it.
    ///
    /// # Errors
    /// When it is not written; nothing was changed then.
    pub async fn add_connection(&self, request: AddConnectionRequest) -> Result<ConnectionRow> {
        let kept = self.kept()?;
        let known = kept.adapters().into_iter().find(|known| known.adapter == request.adapter);
        let Some(known) = known else {
            return Err(Error::BadRequest(format!("there is no adapter `{}`", request.adapter)));
        };
        let key = request.key.as_ref().map(|key| usable(key, &known.key_form)).transpose()?;
        let new = NewConnection {
            id: ProviderId(written("The id", Some(request.id))?.ok_or_else(|| {
                Error::Refused("The provider needs the id that the product's catalogue gives it.".to_owned())
            })?),
            adapter: request.adapter,
            name: written("The name", request.name)?,
            base_url: written("The address", request.base_url)?,
            key_variable: written("The variable", request.variable)?,
        };
        let (id, adapter) = (new.id.clone(), new.adapter.clone());
        let added = kept.add(new, key).await;
        // Also where it failed: a provider whose key was not kept is there all the same.
        self.keys_changed();
        if self.row_of(&id).is_ok() {
            self.note(&id, ConnectionChange::Added, &adapter).await?;
        }
        added?;
        if key.is_some() {
            self.note(&id, ConnectionChange::KeySet, "kept").await?;
        }
        self.row_of(&id)
    }

    /// Takes a provider out of the settings, and its key out of the keyring; it is not asked any more. What it
    /// answered before stays in the record.
    ///
    /// # Errors
    /// When it is still there; its key may be gone then.
    pub async fn remove_connection(&self, request: RemoveKeyRequest) -> Result<ConnectionsView> {
        let id = ProviderId(request.id);
        let removed = self.kept()?.remove(&id, request.revision).await;
        self.keys_changed();
        removed?;
        self.note(&id, ConnectionChange::Removed, "removed").await?;
        self.connections(Nothing {}).await
    }

    /// When this program starts passes of the reconciler now: none while a provider has no key.
    pub(crate) fn timer_now(&self) -> Timer {
        let held = self.timer.every.and_then(|_| self.connections.as_deref()?.keyless());
        match held {
            Some(why) => Timer { every: None, off_because: Some(format!("{why}: {UNASKED}")) },
            None => self.timer.clone(),
        }
    }

    /// Waits until every provider has a key. Whoever starts passes by a timer starts none before: what nobody
    /// could ask about would be restored, though its file may be there.
    pub async fn until_all_can_be_asked(&self) {
        let Some(kept) = self.connections.as_deref().filter(|kept| kept.keyless().is_some()) else { return };
        self.changed(Topic::Reconciler);
        kept.all_have_keys().await;
        self.keys_changed();
    }

    /// A key more or less also decides whether passes are started.
    fn keys_changed(&self) {
        self.changed(Topic::Connections);
        self.changed(Topic::Reconciler);
    }

    /// What was done is done: where it can't be written down, whoever did it is told both.
    async fn note(&self, id: &ProviderId, change: ConnectionChange, outcome: &str) -> Result<()> {
        let noted = self.store.note_connection(&self.agent.id, id, change, outcome, self.now()).await;
        noted.map_err(|why| {
            let act = change.word();
            Error::Refused(format!("This was done ({act}, {id}), and the record could not write it down: {why}"))
        })
    }

    fn kept(&self) -> Result<&dyn Connections> {
        let none = || Error::Refused("This program keeps no providers.".to_owned());
        self.connections.as_deref().ok_or_else(none)
    }

    fn row_of(&self, id: &ProviderId) -> Result<ConnectionRow> {
        let found = self.kept()?.connections().into_iter().find(|one| one.descriptor.id == *id);
        let found = found.ok_or_else(|| ConnectionError::Unknown(id.clone()))?;
        Ok(row(found, self.now()))
    }
}

/// A key as it is used: without the space around it that pasting brings, and without the word that
/// the header has anyway.
fn usable<'a>(key: &'a Secret, form: &str) -> Result<&'a str> {
    let refuse = |why: &str| Err(Error::Refused(format!("This is no key: {why} Nothing was kept.")));
    let key = key.expose().trim();
    let scheme = form.split_once(": ").map_or("", |(_, rest)| rest.trim_end_matches('…').trim_end());
    if key.is_empty() {
        return refuse("it is empty.");
    }
    if key.len() > KEY_BYTES_MAX {
        return refuse(&format!("it has more than {KEY_BYTES_MAX} bytes."));
    }
    // A service account's key is a document, of which no header carries anything as it is.
    let is_document = key.starts_with('{') && key.ends_with('}');
    if !is_document && key.chars().any(|letter| !letter.is_ascii_graphic() && letter != ' ') {
        return refuse("it has line breaks or letters that no header can carry.");
    }
    let begins =
        |word: &str| key.split_once(' ').is_some_and(|(first, _)| first.eq_ignore_ascii_case(word)) && !word.is_empty();
    if begins(scheme) || begins("Bearer") {
        return refuse("it begins with a word of the header; only what follows is the key.");
    }
    Ok(key)
}

/// A field as people fill it in: nothing but space is nothing.
fn written(what: &str, text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(Error::Refused(format!("{what} can have {NAME_CHARS_MAX} letters, and no line breaks.")));
    }
    Ok(Some(text))
}

fn row(one: Connection, now: Timestamp) -> ConnectionRow {
    let (place, variable) = match one.key {
        KeyPlace::Keyring => (KeyPlaceWord::Keyring, one.key_variable),
        KeyPlace::Environment(variable) => (KeyPlaceWord::Environment, Some(variable)),
        KeyPlace::Workspace => (KeyPlaceWord::Workspace, None),
        KeyPlace::Missing => (KeyPlaceWord::Missing, one.key_variable),
        KeyPlace::Waiting => (KeyPlaceWord::Waiting, one.key_variable),
    };
    ConnectionRow {
        id: one.descriptor.id.0,
        name: one.descriptor.name,
        adapter: adapter(one.adapter),
        base_url: one.base_url,
        retention: one.retention.map(retention),
        key: KeyView { place, variable },
        revision: one.revision,
        health: health(one.health, now),
    }
}

fn adapter(info: AdapterInfo) -> AdapterView {
    AdapterView {
        adapter: info.adapter,
        name: info.name,
        docs_url: info.docs_url,
        key_hint: info.key_hint,
        key_form: info.key_form,
        base_url: info.base_url,
        can: can(&info.capability),
        retention: info.retention.map(retention),
    }
}

fn can(capability: &Capability) -> CapabilityView {
    CapabilityView {
        look_up: capability.look_up,
        list_by_time: capability.list_by_time,
        cost: capability.cost,
        cancel: capability.cancel,
        webhook: capability.webhook,
        gives_expiry: capability.gives_expiry,
    }
}

fn retention(kept: FileRetention) -> RetentionView {
    RetentionView { minutes: kept.minutes, source: kept.source, seen: kept.seen }
}

fn health(health: Health, now: Timestamp) -> HealthView {
    HealthView {
        last: health.last.map(|last| LastAnswerView {
            at: now.checked_sub(last.ago).unwrap_or(now),
            took_ms: millis(last.took),
            status: last.status,
            key_taken: last.key_taken,
            why: last.why,
        }),
        retries_left: health.retries_left,
        retries_max: health.retries_max,
        failures: health.failures,
        failures_max: health.failures_max,
        left_alone: health
            .left_alone
            .map(|(why, time)| LeftAloneView { why, until: now.checked_add(time).unwrap_or(Timestamp::MAX) }),
    }
}

fn millis(time: SignedDuration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_is_used_and_never_shown() {
        let form = "authorization: Key …";
        for (text, want) in [
            ("r8_abc", Ok("r8_abc")),
            ("  r8_abc\n", Ok("r8_abc")),
            ("id:secret", Ok("id:secret")),
            ("a key with spaces", Ok("a key with spaces")),
            ("", Err("empty")),
            (" \n", Err("empty")),
            ("one\ntwo", Err("line breaks")),
            ("{\n \"type\": \"service_account\"\n}\n", Ok("{\n \"type\": \"service_account\"\n}")),
            ("schlüssel", Err("no header")),
            ("Key r8_abc", Err("word of the header")),
            ("bearer r8_abc", Err("word of the header")),
        ] {
            let key = Secret::new(text);
            match (usable(&key, form), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(why), Err(part)) => {
                    let why = why.to_string();
                    assert!(why.contains(part) && !why.contains("r8_abc"), "{text:?}: {why}");
                }
                (got, want) => panic!("{text:?}: {got:?}, not {want:?}"),
            }
        }
        assert!(usable(&Secret::new("x".repeat(KEY_BYTES_MAX + 1)), form).is_err());
        let request = PutKeyRequest { id: "r".to_owned(), key: Secret::new("r8_abc"), revision: 1 };
        assert!(!format!("{request:?}").contains("r8_abc"));
    }

    #[test]
    fn fields_are_kept_without_the_space_around_them() {
        let write = |text: &str| written("The name", Some(text.to_owned()));
        assert_eq!(write(" Meridian ").ok().flatten().as_deref(), Some("Meridian"));
        assert!(write(" \t").is_ok_and(|name| name.is_none()));
        assert!(write("a\nb").is_err() && write(&"x".repeat(NAME_CHARS_MAX + 1)).is_err());
    }

    #[test]
    fn spans_become_instants() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let told = health(
            Health {
                last: Some(makegood_domain::ports::LastAnswer {
                    ago: SignedDuration::from_mins(5),
                    took: SignedDuration::from_millis(240),
                    status: Some(404),
                    key_taken: true,
                    why: String::new(),
                }),
                left_alone: Some((makegood_domain::ports::LeftAlone::Asked, SignedDuration::from_secs(90))),
                ..Health::default()
            },
            now,
        );
        let last = told.last.expect("an answer");
        assert_eq!((last.at.to_string().as_str(), last.took_ms), ("1970-01-01T00:55:00Z", 240));
        let until = told.left_alone.expect("shut").until;
        assert_eq!(until.to_string(), "1970-01-01T01:01:30Z");
    }
}
