//! From an envelope to a use case. Expanded from the one list of commands: a command without a
//! method of its name on `Desk` does not compile.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::contract::*;
use crate::desk::Desk;
use crate::error::Error;

fn request<T: DeserializeOwned>(cmd: &str, payload: Value) -> Result<T, WireError> {
    // A command without arguments may come without a payload.
    let payload = if payload.is_null() { Value::Object(serde_json::Map::new()) } else { payload };
    serde_json::from_value(payload).map_err(|why| Error::BadRequest(format!("{cmd}: {why}")).into())
}

fn answer<T: Serialize>(cmd: &str, value: &T) -> Result<Value, WireError> {
    serde_json::to_value(value).map_err(|why| WireError {
        code: Code::Internal,
        message: format!("the answer to {cmd} can't be written: {why}"),
        retry: false,
        incident: None,
    })
}

macro_rules! dispatchers {
    ($($(#[$doc:meta])* $group:ident { $($name:ident($request:ty) -> $answer:ty;)+ })+) => {
        impl Desk {
            $(
                /// Answers one envelope of this group.
                ///
                /// # Errors
                /// With the code that the window branches on; an unknown command is a bad request.
                pub async fn $group(&self, envelope: Envelope) -> Result<Value, WireError> {
                    match envelope.cmd.as_str() {
                        $(stringify!($name) => {
                            let request: $request = request(stringify!($name), envelope.payload)?;
                            let value: $answer = self.$name(request).await.map_err(WireError::from)?;
                            answer(stringify!($name), &value)
                        })+
                        other => Err(Error::BadRequest(format!(
                            "there is no {} named {other}", stringify!($group)
                        )).into()),
                    }
                }
            )+
        }
    };
}
with_commands!(dispatchers);
