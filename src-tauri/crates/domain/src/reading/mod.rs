//! Ticket text to claim (P1).
