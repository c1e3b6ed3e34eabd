//! The answer to the customer, from message points, and the scan that keeps others out of it.
