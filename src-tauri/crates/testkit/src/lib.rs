//! What tests need and the product must not have: time that stands still, ids that repeat, a
//! server that answers as it is told, a store of objects that fails as it is told, a PostgreSQL of
//! their own and certificates for it, small media files, a reader of JSON Schemas, and the suite that every provider adapter must pass.

mod bucket;
pub mod certificates;
pub mod conformance;
mod media;
mod memory;
pub mod postgres;
pub mod schema;
mod server;
mod time;
mod world;

pub use bucket::{Bucket, Fault as StoreFault};
pub use media::{Sample, samples};
pub use memory::{Fault, MemoryStore, Op, SeenDue, SeenItem, Snapshot};
pub use server::{Reply, Request, Server};
pub use time::{ManualClock, SeededIds};
pub use world::{World, keep_look_ups};
