//! Tables of tickets for the whole reading, one `check` for all, and the measure over labelled cases.

mod measure;
