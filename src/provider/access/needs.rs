//! The roles that an identity of a hub needs beyond the data of its account (facts: azure.md §4, §13.8, §13.9).

use crate::provider::roles::{self, Role};

/// A role that an identity needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) role: Role,
    /// The roles that allow what it does, itself included.
    pub(super) served_by: &'static [Role],
    /// Those of which it is not known whether they do.
    pub(super) perhaps_by: &'static [Role],
    /// Whether other built-in roles allow it, too.
    pub(super) by_others: bool,
}

pub(super) const CONTRIBUTOR: Need = Need {
    role: roles::CONTRIBUTOR,
    served_by: &[roles::CONTRIBUTOR, roles::OWNER],
    perhaps_by: &[roles::AI_ADMINISTRATOR],
    by_others: false,
};

pub(super) const KEY_VAULT_ADMINISTRATOR: Need = Need {
    role: roles::KEY_VAULT_ADMINISTRATOR,
    served_by: &[roles::KEY_VAULT_ADMINISTRATOR],
    perhaps_by: &[],
    by_others: false,
};

pub(super) const READER: Need = Need {
    role: roles::READER,
    served_by: &[
        roles::READER,
        roles::CONTRIBUTOR,
        roles::OWNER,
        roles::USER_ACCESS_ADMINISTRATOR,
        roles::RBAC_ADMINISTRATOR,
    ],
    perhaps_by: &[roles::AI_ADMINISTRATOR],
    by_others: true,
};
