//! Which storage accounts this run needs to have their shared keys as they are. A creation that fails puts an account back
//! only where nobody else needs it.

use std::{collections::HashMap, sync::Mutex};

use crate::{arm::ArmId, framework::lock::lock};

#[derive(Debug, Default)]
pub(crate) struct KeyHolds(Mutex<HashMap<ArmId, Hold>>);

#[derive(Debug)]
struct Hold {
    /// Whether shared keys were enabled before this run changed the account.
    before: bool,
    holders: usize,
}

impl KeyHolds {
    /// Notes one more that needs an account as it is now. The first one says what it was `before`.
    pub(crate) fn add(&self, account: &ArmId, before: bool) {
        lock(&self.0).entry(account.clone()).or_insert(Hold { before, holders: 0 }).holders += 1;
    }

    /// Notes that one of them does not need it any more. What the account was before, where this was the last one.
    pub(crate) fn remove(&self, account: &ArmId) -> Option<bool> {
        let mut holds = lock(&self.0);
        let hold = holds.get_mut(account)?;
        hold.holders -= 1;
        if hold.holders > 0 { None } else { holds.remove(account).map(|hold| hold.before) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_learns_what_the_account_was_before_the_first() {
        let holds = KeyHolds::default();
        let account = |name: &str| ArmId::parse(&format!("/subscriptions/s/resourceGroups/{name}")).unwrap();
        holds.add(&account("a"), true);
        holds.add(&account("A"), false);
        holds.add(&account("b"), false);
        assert_eq!(holds.remove(&account("a")), None);
        assert_eq!(holds.remove(&account("a")), Some(true));
        assert_eq!(holds.remove(&account("a")), None);
        assert_eq!(holds.remove(&account("b")), Some(false));
    }
}
