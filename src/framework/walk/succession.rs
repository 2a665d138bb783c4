//! What becomes of what an object wrote when the object is removed or releases a part of it.

use std::any::Any;

use super::{key::Key, ledger::Walk};

/// What becomes of what an object wrote when the object is removed or releases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is undone.
    Undo,
    /// Another object of the walk needs it as well, so that it stays.
    Keep,
    /// The object is replaced, and its successor has written it already.
    Succeeded,
    /// The object is replaced, and its successor, which is created next, takes it over.
    HandOver,
}

/// What a deletion, or an update that releases something, knows of its successors.
#[derive(Clone, Debug)]
pub struct Succession {
    pub(in super::super) walk: Walk,
    /// The keys of the other half of a replacement; `None` where the object is not being replaced.
    pub(in super::super) replaced_by: Option<Vec<Key>>,
    /// The subjects that the plan has left in place for others.
    pub(in super::super) kept: Vec<String>,
    /// The subjects for which the state had other objects, too, at the last read.
    pub(in super::super) seen_with_others: Vec<String>,
    /// Whether the object is deposed: its deletion was planned in the apply itself.
    pub(in super::super) is_deposed: bool,
}

impl Succession {
    /// Whether the object is being replaced: it is created again in the same apply.
    pub fn is_replacement(&self) -> bool {
        self.replaced_by.is_some()
    }

    /// The other objects of this walk.
    pub(crate) fn walk(&self) -> &Walk {
        &self.walk
    }

    /// What becomes of what the object wrote for `key`.
    pub(crate) fn fate(&self, key: &Key) -> Fate {
        if key.is_among(self.replaced_by.as_deref().unwrap_or_default()) {
            let is_written = self.walk.with(key, |subject| !subject.written.is_empty());
            return if is_written { Fate::Succeeded } else { Fate::HandOver };
        }
        // An apply is not told of objects that do not change. The deletion of a deposed object, which is planned in the
        // apply, therefore goes by what the refresh noted.
        let is_shared = self.is_deposed && self.seen_with_others.contains(&key.subject);
        let is_kept = self.kept.contains(&key.subject) || is_shared || self.walk.with(key, |it| it.is_needed(key));
        if is_kept { Fate::Keep } else { Fate::Undo }
    }

    /// Whether the user need not be told that what the object wrote for `key` stays: the plan said so, or the object is
    /// deposed, so that its own successor needs it.
    pub(crate) fn is_expected(&self, key: &Key) -> bool {
        self.kept.contains(&key.subject) || self.is_deposed
    }

    /// Hands `object` over to the successor that is going to be created with this key.
    pub(crate) fn hand_over(&self, key: &Key, object: impl Any + Send) {
        self.walk.hand_over(key, Box::new(object));
    }
}
