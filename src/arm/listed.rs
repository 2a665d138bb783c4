//! A list that was read, in which items are found without looking at all of them.

use super::lock::lock;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

/// All items of a list, and the maps by which they are found. While the list is remembered, so are these.
#[derive(Debug)]
pub struct Listed<T> {
    /// The items.
    pub value: Vec<T>,
    /// The time of the first page's answer: what was created after it may be missing.
    pub date: Option<OffsetDateTime>,
    indexes: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl<T> Listed<T> {
    pub(super) fn new(value: Vec<T>, date: Option<OffsetDateTime>) -> Self {
        Self { value, date, indexes: Mutex::default() }
    }

    /// The places of the items in a map, which is made once.
    pub(super) fn index<I: for<'i> From<&'i [T]> + Send + Sync + 'static>(&self) -> Arc<I> {
        let mut indexes = lock(&self.indexes);
        let index = indexes.entry(TypeId::of::<I>()).or_insert_with(|| Arc::new(I::from(&self.value)));
        Arc::clone(index).downcast().expect("the key names the type")
    }
}
