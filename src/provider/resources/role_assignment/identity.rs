//! The identity and the id of an object, by which it is imported.

use super::{
    choice::Choice,
    schema::{Identity, State},
};
use crate::framework::Attr;

impl State {
    pub(super) fn identity(&self) -> Option<Identity> {
        let role = Choice::of(self).key()?;
        let principal_id = self.principal_id.text()?.to_owned();
        Some(Identity { scope: self.assigned_at()?.into(), principal_id, role })
    }

    pub(super) fn import_id(&self) -> Attr<String> {
        let target = match &self.hub_id {
            Attr::Null => self.scope.known().cloned().map(String::from),
            hub => hub.known().cloned().map(String::from),
        };
        match (target, self.principal_id.text(), Choice::of(self).key()) {
            (Some(target), Some(principal), Some(role)) => format!("{target}|{principal}|{role}").into(),
            _ => Attr::Unknown,
        }
    }
}
