//! The people and the built-in roles that tests name.

/// Somebody who works in the hub.
pub(crate) const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// Somebody else who works in the hub.
pub(crate) const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// A third person.
pub(crate) const CAROL: &str = "cccccccc-0000-4000-8000-000000000003";

/// Storage Blob Data Contributor, the first of the pair that `access = "contributor"` means.
pub(crate) const BLOB_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/// Storage File Data Privileged Contributor, the second.
pub(crate) const FILE_CONTRIBUTOR: &str = "69566ab7-960f-475b-8e7c-b3118f30c6bd";

/// Storage Blob Data Reader, the first of the pair that `access = "reader"` means.
pub(crate) const BLOB_READER: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/// Storage File Data Privileged Reader, the second.
pub(crate) const FILE_READER: &str = "b8eda974-7b85-4f76-af95-65846b26df6d";

/// The names of the pair that `access = "contributor"` means.
pub(crate) const CONTRIBUTOR_NAMES: [&str; 2] = [BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME];
/// The names of the pair that `access = "reader"` means.
pub(crate) const READER_NAMES: [&str; 2] = [BLOB_READER_NAME, FILE_READER_NAME];

pub(crate) const BLOB_CONTRIBUTOR_NAME: &str = "Storage Blob Data Contributor";
pub(crate) const FILE_CONTRIBUTOR_NAME: &str = "Storage File Data Privileged Contributor";
pub(crate) const BLOB_READER_NAME: &str = "Storage Blob Data Reader";
pub(crate) const FILE_READER_NAME: &str = "Storage File Data Privileged Reader";
