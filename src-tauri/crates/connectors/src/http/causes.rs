//! Errors of the client in words, with what caused them.

/// What a certificate is told to be that is good at another time.
const UNTIMELY: [&str; 2] = ["certificate expired", "certificate not valid yet"];

/// An error with its causes, each once. Whose certificate is good at another time may be right, and we may have the
/// wrong one.
pub fn chain(error: &dyn std::error::Error) -> String {
    let text = causes(error);
    if UNTIMELY.iter().any(|words| text.contains(words)) {
        return format!("{text}; or the clock of this machine is wrong");
    }
    text
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Says {
        text: &'static str,
        #[source]
        cause: Option<Box<Says>>,
    }

    fn said(texts: &[&'static str]) -> String {
        let error = texts.iter().rev().fold(None, |cause, &text| Some(Box::new(Says { text, cause })));
        chain(&*error.expect("an error"))
    }

    #[test]
    fn each_cause_is_told_once() {
        assert_eq!(said(&["not connected", "refused"]), "not connected: refused");
        assert_eq!(said(&["not connected: refused", "refused"]), "not connected: refused");
    }

    #[test]
    fn a_certificate_of_another_time_may_be_our_clocks_fault() {
        for (text, is_clock) in [
            ("invalid peer certificate: certificate expired: verification time 9", true),
            ("invalid peer certificate: certificate not valid yet: verification time 9", true),
            ("invalid peer certificate: certificate not valid for name \"x\"", false),
            ("invalid peer certificate: UnknownIssuer", false),
        ] {
            assert_eq!(said(&["client error (Connect)", text]).ends_with("clock of this machine is wrong"), is_clock);
        }
    }
}
