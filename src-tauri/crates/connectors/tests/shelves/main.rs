//! One suite for every place that recovered files can stand in. Run with the rest: a folder, and a store that
//! fails on purpose. Run by `make foreign`, because they are programs that nobody here wrote: servers of S3,
//! Google Cloud Storage and Azure Blob Storage.

#![expect(clippy::expect_used, reason = "what can't be set up or read has failed the test")]

mod behaviour;
mod faults;
mod folder;
mod foreign;
mod subject;
