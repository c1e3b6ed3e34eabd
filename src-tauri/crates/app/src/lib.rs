//! Use cases over the domain's ports, and the wire contract of the window. Knows no database, no
//! network and no window.

pub mod contract;
pub mod evaluate;
