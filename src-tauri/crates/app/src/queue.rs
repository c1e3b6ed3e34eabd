//! The queue: what will be lost first stands first.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueLine, QueueQuery};

use crate::contract::{
    Count, FileDeadline, Nothing, QueueCounts, QueueFilter, QueueRequest, QueueRow, QueueSection, QueueWindow,
};
use crate::desk::Desk;
use crate::error::Result;
use crate::labels;

/// Rows in one answer; the window asks again for the next ones.
const ROWS_MAX: u64 = 200;

impl Desk {
    /// A window of the queue.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn queue(&self, request: QueueRequest) -> Result<QueueWindow> {
        let now = self.now();
        let query = self.query_of(&request.filter, request.offset, request.limit, now);
        let page = self.store.queue(&query).await?;
        Ok(QueueWindow {
            total: page.total,
            stake: page.stake,
            offset: request.offset,
            rows: page.lines.into_iter().map(|line| row(line, now)).collect(),
            as_of: now,
        })
    }

    /// Numbers beside views and filters.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn queue_counts(&self, _: Nothing) -> Result<QueueCounts> {
        let counts = self.store.queue_counts().await?;
        Ok(QueueCounts {
            verdicts: counts
                .by_verdict
                .into_iter()
                .map(|(verdict, count)| Count {
                    word: verdict.word().to_owned(),
                    label: labels::verdict(verdict).to_owned(),
                    count,
                })
                .collect(),
            desks: counts
                .by_desk
                .into_iter()
                .map(|(desk, count)| Count { label: desk.clone(), word: desk, count })
                .collect(),
            states: counts
                .by_state
                .into_iter()
                .map(|(state, count)| Count {
                    word: state.word().to_owned(),
                    label: labels::case_state(state).to_owned(),
                    count,
                })
                .collect(),
        })
    }

    pub(crate) fn query_of(&self, filter: &QueueFilter, offset: u64, limit: u64, now: Timestamp) -> QueueQuery {
        QueueQuery {
            states: filter.states.clone(),
            verdicts: filter.verdicts.clone(),
            remedies: filter.remedies.clone(),
            desks: filter.desks.clone(),
            assignee: filter.mine.then(|| self.agent.id.clone()),
            due_before: filter.due_today.then(|| end_of_day(now)),
            deadline_before: filter.file_at_risk.then(|| now + 24.hours()),
            search: filter.search.trim().to_owned(),
            order: filter.order,
            as_of: now,
            offset,
            limit: limit.min(ROWS_MAX),
        }
    }
}

/// The business calendar is UTC (R23), so "today" ends at midnight UTC.
fn end_of_day(now: Timestamp) -> Timestamp {
    now.to_zoned(TimeZone::UTC).tomorrow().and_then(|day| day.start_of_day()).map_or(now, |day| day.timestamp())
}

fn row(line: QueueLine, now: Timestamp) -> QueueRow {
    // The queue does not know since when a file is kept: its share is of a day.
    let since = line.file_deadline.and_then(|until| until.checked_sub(24.hours()).ok()).unwrap_or(line.opened_at);
    let file = file_deadline(line.file_deadline, line.saved, since, now);
    let section = match (&file, line.state) {
        (_, CaseState::Settled | CaseState::Linked | CaseState::Waiting) => QueueSection::Later,
        (FileDeadline::Running { .. }, CaseState::Open) => QueueSection::FileDeletesFirst,
        (_, CaseState::Open) => QueueSection::BusinessDayEndsFirst,
    };
    QueueRow {
        case_id: line.case_id.0,
        ticket_id: line.ticket_id.0,
        section,
        subject: line.subject,
        customer: line.customer,
        desk: line.desk,
        state: line.state,
        assignee: line.assignee.map(|agent| agent.0),
        verdict: line.verdict,
        verdict_label: line.verdict.map_or("not looked at yet", labels::verdict).to_owned(),
        tone: line.verdict.map_or(crate::contract::Tone::Neutral, labels::verdict_tone),
        remedy: line.remedy,
        amount: line.amount,
        model: line.model,
        file,
        due_at: line.due_at,
        follow_up_at: line.follow_up_at,
        opened_at: line.opened_at,
    }
}

/// The form of a file's deadline; `share` measures from `since`.
pub(crate) fn file_deadline(
    deadline: Option<Timestamp>,
    saved: bool,
    since: Timestamp,
    now: Timestamp,
) -> FileDeadline {
    match deadline {
        _ if saved => FileDeadline::Saved,
        None => FileDeadline::None,
        Some(until) if until <= now => FileDeadline::Gone { at: until },
        Some(until) => {
            let whole = until.as_second().saturating_sub(since.as_second()).max(1);
            let left = until.as_second().saturating_sub(now.as_second());
            let share = (left.saturating_mul(100) / whole).clamp(0, 100);
            FileDeadline::Running { until, share: u8::try_from(share).unwrap_or(100) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a test instant parses")
    }

    #[test]
    fn a_deadline_has_one_form() {
        let (since, now) = (at("2026-03-12T18:00:00Z"), at("2026-03-13T06:00:00Z"));
        let cases = [
            (None, false, FileDeadline::None),
            (None, true, FileDeadline::Saved),
            (Some("2026-03-13T18:00:00Z"), true, FileDeadline::Saved),
            (
                Some("2026-03-13T18:00:00Z"),
                false,
                FileDeadline::Running { until: at("2026-03-13T18:00:00Z"), share: 50 },
            ),
            (Some("2026-03-13T06:00:00Z"), false, FileDeadline::Gone { at: now }),
            (Some("2026-03-12T19:00:00Z"), false, FileDeadline::Gone { at: at("2026-03-12T19:00:00Z") }),
        ];
        for (deadline, saved, want) in cases {
            assert_eq!(file_deadline(deadline.map(at), saved, since, now), want, "{deadline:?} saved {saved}");
        }
    }

    #[test]
    fn today_ends_at_midnight_utc() {
        assert_eq!(end_of_day(at("2026-03-12T23:59:59Z")), at("2026-03-13T00:00:00Z"));
    }
}
