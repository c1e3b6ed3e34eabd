//! The policy's numbers: data in one versioned file, checked on load.
