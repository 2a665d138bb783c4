//! The resource types, one file each.
