//! Tests of the store as a whole, beside the tables they are about.

mod statements;
