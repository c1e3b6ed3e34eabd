//! The journeys, in the order they are played.

mod opens;

use std::future::Future;
use std::pin::Pin;

use crate::stage::Stage;

type Playing<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

pub struct Journey {
    /// Names the promise it proves.
    pub name: &'static str,
    pub play: for<'a> fn(&'a Stage) -> Playing<'a>,
}

macro_rules! journeys {
    ($($module:ident::$name:ident),+ $(,)?) => {
        pub const JOURNEYS: &[Journey] = &[$(
            Journey { name: stringify!($name), play: |stage| Box::pin($module::$name(stage)) },
        )+];
    };
}

journeys![opens::the_window_opens_without_a_breach_of_its_policy, opens::the_window_goes_nowhere_else,];
