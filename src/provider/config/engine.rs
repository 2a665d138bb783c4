//! Which engines the provider is made for.

use crate::framework::Diagnostic;

/// The oldest release that tests run on. OpenTofu, which does not say that it is one, begins with it.
const OLDEST: (u64, u64) = (1, 6);

/// Tells the user of an engine that is older.
pub(super) fn too_old(version: &str) -> Option<Diagnostic> {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    let (oldest_major, oldest_minor) = OLDEST;
    ((major, minor) < OLDEST).then(|| {
        Diagnostic::warning(
            "This Terraform is not supported",
            format!(
                "This is Terraform {version}. The provider is tested with Terraform {oldest_major}.{oldest_minor} and newer and with OpenTofu. An older one \
                 may not tell all that the provider reports, or fail. Upgrade to a newer release."
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_before_the_oldest_one_are_too_old() {
        for (version, expected) in [
            ("1.5.7", true),
            ("0.15.4", true),
            ("1.6.0-alpha20230719", false),
            ("1.6.6", false),
            ("1.15.5", false),
            ("2.0.0", false),
            ("", false),
            ("dev", false),
        ] {
            assert_eq!(too_old(version).is_some(), expected, "{version:?}");
        }
    }
}
