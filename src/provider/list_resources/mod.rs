//! The list resources.
