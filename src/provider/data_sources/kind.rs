//! The kinds of workspaces that data sources have.

use crate::{arm::workspaces::WorkspaceKind, framework::one_of};

one_of! {
    /// The kinds of workspaces whose storage authorization can be managed.
    pub(super) enum Kind {
        Hub = "Hub",
        Default = "Default",
    }
}

impl Kind {
    pub(super) fn in_azure(self) -> WorkspaceKind {
        match self {
            Self::Hub => WorkspaceKind::Hub,
            Self::Default => WorkspaceKind::Default,
        }
    }

    pub(super) fn of(kind: WorkspaceKind) -> Option<Self> {
        [Self::Hub, Self::Default].into_iter().find(|own| own.in_azure() == kind)
    }
}
