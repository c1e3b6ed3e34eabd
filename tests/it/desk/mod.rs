//! Journeys over a desk: the real record in SQLite, the real vault in a folder, a provider that
//! does as it is told.

mod acting;
mod against;
mod approving;
mod batch;
mod bridge;
mod cancelling;
mod damaged;
mod fakes;
mod loom;
mod lost_jobs;
mod matching;
mod outages;
mod overtaken;
mod previewing;
mod reconciling;
mod refusing;
mod releasing;
mod saving;
mod side_by_side;
mod slow;
mod symptoms;
mod telling;
mod timing;
mod usage;
mod world;
