//! The actions.
