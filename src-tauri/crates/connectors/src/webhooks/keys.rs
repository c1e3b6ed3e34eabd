//! The public keys of a sender, fetched when they are needed, kept for a day (fal allows no longer), and
//! fetched again before that when a signature fits none of them: keys change. However many forged
//! deliveries arrive, the sender is asked at most once in five minutes.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::jwks::PublicKeys;

const KEPT: SignedDuration = SignedDuration::from_hours(24);
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Where a key set comes from.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The key set's JSON.
    ///
    /// # Errors
    /// When it cannot be had; the text says why.
    async fn fetch(&self) -> Result<Vec<u8>, String>;
}

#[derive(Clone)]
struct Kept {
    keys: Arc<PublicKeys>,
    at: Timestamp,
}

/// Keys of one sender.
pub struct Keys {
    source: Box<dyn KeySource>,
    kept: RwLock<Option<Kept>>,
    /// When the source was asked last; held while it is asked, so that one asks for all.
    asked: Mutex<Option<Timestamp>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// Keys that nobody has asked for yet.
    #[must_use]
    pub fn new(source: Box<dyn KeySource>) -> Self {
        Self { source, kept: RwLock::new(None), asked: Mutex::new(None) }
    }

    /// The keys that are believed at `now`.
    ///
    /// # Errors
    /// When there are none and none can be had; the text says why.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<PublicKeys>, String> {
        match self.fresh(now) {
            Some(kept) => Ok(kept.keys),
            None => {
                self.ask(now, None).await?.ok_or_else(|| "its keys were asked for a moment ago, in vain".to_owned())
            }
        }
    }

    /// Other keys than `tried`, if the sender has exchanged them meanwhile.
    ///
    /// # Errors
    /// When the sender was asked and did not answer.
    pub async fn other_than(&self, tried: &Arc<PublicKeys>, now: Timestamp) -> Result<Option<Arc<PublicKeys>>, String> {
        self.ask(now, Some(tried)).await
    }

    fn fresh(&self, now: Timestamp) -> Option<Kept> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        kept.filter(|kept| now.duration_since(kept.at) < KEPT)
    }

    /// One asks, the others wait and take what came. Keys equal to `tried` are none.
    async fn ask(&self, now: Timestamp, tried: Option<&Arc<PublicKeys>>) -> Result<Option<Arc<PublicKeys>>, String> {
        let is_new = |kept: &Kept| tried.is_none_or(|tried| *tried != kept.keys);
        let mut asked = self.asked.lock().await;
        if let Some(kept) = self.fresh(now).filter(is_new) {
            return Ok(Some(kept.keys));
        }
        if asked.is_some_and(|at| now.duration_since(at) < PAUSE) {
            return Ok(None);
        }
        *asked = Some(now);
        let json = self.source.fetch().await?;
        let keys = PublicKeys::parse(&json).map_err(|why| format!("its key set can't be used: {why}"))?;
        let kept = Kept { keys: Arc::new(keys), at: now };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        Ok(Some(kept).filter(is_new).map(|kept| kept.keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Scripted {
        answers: Vec<Result<&'static str, &'static str>>,
        asked: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl KeySource for Scripted {
        async fn fetch(&self) -> Result<Vec<u8>, String> {
            let at = self.asked.fetch_add(1, Ordering::SeqCst);
            let answer = self.answers.get(at).copied().unwrap_or(Err("the script is over"));
            let set = |x: &str| format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#).into_bytes();
            answer.map(set).map_err(str::to_owned)
        }
    }

    const A: &str = "fKlrSevL-3SL6GqZeQlX_Zp3i3MImBGAg0wrg2iwr3E";
    const B: &str = "N6bI8D75k6MEyIl2_FTviPiDZlfc3OTTlxJV9qwG9Qc";

    fn scripted(answers: Vec<Result<&'static str, &'static str>>) -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Keys::new(Box::new(Scripted { answers, asked: Arc::clone(&asked) })), asked)
    }

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_763_632_800 + 60 * minutes).expect("an instant")
    }

    #[tokio::test]
    async fn keys_are_kept_for_a_day() {
        let (keys, asked) = scripted(vec![Ok(A), Ok(B)]);
        let first = keys.current(minute(0)).await.expect("keys");
        assert_eq!(keys.current(minute(24 * 60 - 1)).await, Ok(Arc::clone(&first)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let second = keys.current(minute(24 * 60)).await.expect("keys");
        assert_ne!(first, second);
    }

    #[tokio::test]
    async fn a_signature_that_fits_none_asks_again_but_not_for_every_forgery() {
        let (keys, asked) = scripted(vec![Ok(A), Ok(A), Ok(B)]);
        let first = keys.current(minute(0)).await.expect("keys");
        for _ in 0..100 {
            assert_eq!(keys.other_than(&first, minute(4)).await, Ok(None));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "asked a moment ago");
        assert_eq!(keys.other_than(&first, minute(5)).await, Ok(None), "they are still the same");
        let second = keys.other_than(&first, minute(10)).await.expect("an answer").expect("other keys");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(keys.current(minute(11)).await, Ok(second));
    }

    #[tokio::test]
    async fn who_cannot_be_asked_is_not_asked_for_every_delivery() {
        let (keys, asked) = scripted(vec![Err("not reached"), Ok("AAAA"), Ok(A)]);
        assert_eq!(keys.current(minute(0)).await, Err("not reached".to_owned()));
        assert!(keys.current(minute(1)).await.is_err_and(|why| why.contains("a moment ago")));
        assert!(keys.current(minute(6)).await.is_err_and(|why| why.contains("can't be used")));
        assert!(keys.current(minute(12)).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn old_keys_are_not_believed_because_new_ones_cannot_be_had() {
        let (keys, _) = scripted(vec![Ok(A), Err("not reached")]);
        assert!(keys.current(minute(0)).await.is_ok());
        assert!(keys.current(minute(24 * 60)).await.is_err());
    }
}
