//! A window under the driver. Things are found by their `data-testid`; every wait is for a
//! condition, with a bound that only a defect meets.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::Value;

use crate::process::{self, Owned};

/// The key under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long anything in the window may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer. The pause only spares the processor.
pub async fn until<T>(
    what: &str,
    at_most: Duration,
    ask: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + at_most;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        anyhow::ensure!(Instant::now() < deadline, "{what}: not so after {at_most:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub struct Window {
    client: Client,
    driver: Owned,
    process: u32,
    display: String,
    /// Path and beginning of the name of every screenshot.
    pictures: PathBuf,
}

impl Window {
    pub fn new(client: Client, driver: Owned, process: u32, display: String, pictures: PathBuf) -> Self {
        Self { client, driver, process, display, pictures }
    }

    /// The element with this test id, once it is shown.
    pub async fn element(&self, id: &str) -> anyhow::Result<Element> {
        self.shown(&format!("[data-testid=\"{id}\"]")).await
    }

    /// The first element under this CSS selector that is shown.
    pub async fn shown(&self, css: &str) -> anyhow::Result<Element> {
        let found = until(css, PATIENCE, async || {
            let script = "return [...document.querySelectorAll(arguments[0])].find((element) =>
                 element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0) ?? null";
            let found = self.client.execute(script, vec![css.into()]).await?;
            let id = found.get(ELEMENT).and_then(Value::as_str);
            Ok(id.map(|id| Element::from_element_id(self.client.clone(), ElementRef::from(id.to_owned()))))
        })
        .await;
        if found.is_err() {
            self.picture("missing")?;
        }
        found
    }

    /// Waits until the element under this CSS selector is shown with these words.
    pub async fn says(&self, css: &str, words: &str) -> anyhow::Result<()> {
        until(&format!("{css} with “{words}”"), PATIENCE, async || {
            Ok(self.shown(css).await?.text().await?.contains(words).then_some(()))
        })
        .await
    }

    pub async fn click(&self, id: &str) -> anyhow::Result<()> {
        self.click_on(&format!("[data-testid=\"{id}\"]")).await
    }

    /// Clicks what is shown under this selector; again if it was drawn anew under the pointer.
    pub async fn click_on(&self, css: &str) -> anyhow::Result<()> {
        until(&format!("a click on {css}"), PATIENCE, async || Ok(self.shown(css).await?.click().await.ok())).await
    }

    /// Every element under this selector at this moment.
    pub async fn all(&self, css: &str) -> anyhow::Result<Vec<Element>> {
        Ok(self.client.find_all(Locator::Css(css)).await?)
    }

    /// How many elements are under this selector at this moment.
    pub async fn count(&self, css: &str) -> anyhow::Result<usize> {
        Ok(self.all(css).await?.len())
    }

    /// Finds the ticket in the queue and opens its case by keyboard. Returns the case's id.
    pub async fn open_case(&self, ticket: &str) -> anyhow::Result<String> {
        self.element("queue").await?;
        self.element("queue-search").await?.send_keys(ticket).await?;
        self.shown(&format!("[data-testid=filter-chip][aria-label='Remove the filter Contains {ticket}']")).await?;
        // The queue opens on what is not settled; a case is looked for among all.
        self.click_on("[data-testid=filter-chip][aria-label^='Remove the filter Status']").await?;
        let row = format!("[data-testid=queue-row][data-ticket-id='{ticket}']");
        self.click_on(&row).await?;
        self.shown(&format!("{row}[data-selected]")).await?;
        self.press(&[], Key::Enter).await?;
        let case = self.element("case").await?.attr("data-case-id").await?;
        self.element("verdict").await?;
        case.context("the case has no id")
    }

    /// Chooses an option of a select box by its value.
    pub async fn choose(&self, id: &str, value: &str) -> anyhow::Result<()> {
        Ok(self.element(id).await?.select_by_value(value).await?)
    }

    /// Presses `key` while the keys of `held` are down, wherever the focus is.
    pub async fn press(&self, held: &[Key], key: impl Into<char>) -> anyhow::Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        let (held, key): (Vec<char>, char) = (held.iter().copied().map(char::from).collect(), key.into());
        for value in held.iter().copied().chain([key]) {
            keys = keys.then(KeyAction::Down { value });
        }
        for value in [key].into_iter().chain(held.iter().rev().copied()) {
            keys = keys.then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(keys).await?)
    }

    /// The value of a script in the page.
    pub async fn script(&self, body: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(body, Vec::new()).await?)
    }

    /// Asks the core directly, past everything the window would check: `{ "ok": … }` or `{ "refused": … }`.
    pub async fn ask(&self, door: &str, cmd: &str, payload: Value) -> anyhow::Result<Value> {
        let script = "const [door, cmd, payload] = arguments
             return window.__TAURI_INTERNALS__.invoke(door, { cmd, payload })
               .then((ok) => ({ ok }), (refused) => ({ refused }))";
        Ok(self.client.execute(script, vec![door.into(), cmd.into(), payload]).await?)
    }

    /// Every breach of the page's content security policy since it was loaded.
    pub async fn policy_breaches(&self) -> anyhow::Result<Vec<String>> {
        let breaches = self.script("return window.policyBreaches").await?;
        serde_json::from_value(breaches).context("the page does not watch its policy")
    }

    /// Keeps what stands on the screen. Taken from the X server, not from the driver: it is what a
    /// person would see, and the driver's own command hangs in a window without a window manager.
    pub fn picture(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = PathBuf::from(format!("{}-{name}.png", self.pictures.display()));
        let mut shot = Command::new("import");
        shot.args(["-display", &self.display, "-window", "root", "-crop", "1280x800+0+0"]).arg(&path);
        anyhow::ensure!(shot.status()?.success(), "no screenshot at {}", path.display());
        Ok(path)
    }

    /// Closes the window as a person does, and waits until the program has ended.
    pub async fn close(self) -> anyhow::Result<()> {
        self.client.clone().close().await?;
        self.ended().await
    }

    /// Kills the program in the middle of whatever it does.
    pub async fn kill(self) -> anyhow::Result<()> {
        process::kill_at_once(self.process)?;
        self.ended().await
    }

    async fn ended(&self) -> anyhow::Result<()> {
        let ended = async || Ok((!process::runs(self.process)).then_some(()));
        until("the program has ended", PATIENCE, ended).await
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // A journey that failed leaves its window open; a closed one has ended already.
        for child in process::children(self.driver.id()) {
            drop(process::kill_at_once(child));
        }
    }
}
