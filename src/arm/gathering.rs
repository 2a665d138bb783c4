//! Whether resources that are read at nearly the same time are worth a list.
//!
//! A refresh reads every resource by itself. The read of a resource therefore waits for those of others in the same place, such as a
//! scope or a resource group: until there is a token, which at the start of a process takes a request of its own, and then as
//! long as reads follow each other within [`PAUSE`], which is short compared with a request. As soon as a list is worth its
//! request the wait ends. The count goes on across waits for as long as reads are remembered, and no resource is waited for
//! twice.

use super::auth::Tokens;
use super::call::Limits;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::watch;

/// From so many resources of a resource group or subscription on a list takes the place of single reads.
pub(crate) const WORTH_A_LIST: usize = 10;

/// How long a read waits for the next one.
const PAUSE: Duration = Duration::from_millis(25);

/// What is read in one period of remembering.
#[derive(Default)]
pub(crate) struct Gathering(watch::Sender<Counts>);

#[derive(Default)]
struct Counts {
    /// By the list's URL.
    places: HashMap<String, Place>,
    /// The resources whose wait has ended.
    decided: HashSet<String>,
}

#[derive(Default)]
struct Place {
    /// The resources that its list can have. One that another list has is not among them.
    asked: HashSet<String>,
    list: Worth,
}

/// Whether a place is listed.
#[derive(Default, PartialEq, Eq)]
enum Worth {
    #[default]
    NotYet,
    Listed,
    /// The list cannot be read, and is not asked for again.
    Refused,
}

/// A read that a list can take the place of.
pub(crate) struct Asked<'a> {
    /// The key of the resource's id.
    pub(crate) id: &'a str,
    /// The URLs of the lists that it is in, from the shortest to the longest.
    pub(crate) lists: &'a [String],
    /// From how many reads on a list is worth it.
    pub(crate) worth_a_list: usize,
}

impl Counts {
    /// The list that takes the place of a read, by its position.
    fn listed(&self, asked: &Asked<'_>) -> Option<usize> {
        asked.lists.iter().position(|list| self.places.get(list).is_some_and(|place| place.list == Worth::Listed))
    }

    /// Whether it is known how a resource is read.
    fn is_settled(&self, asked: &Asked<'_>) -> bool {
        let is_refused = |list| self.places.get(list).is_some_and(|place| place.list == Worth::Refused);
        self.decided.contains(asked.id) || asked.lists.first().is_some_and(is_refused) || self.listed(asked).is_some()
    }

    /// Counts a read, and says whether that is news to those who wait.
    fn count(&mut self, asked: &Asked<'_>) -> bool {
        if let Some(at) = self.listed(asked) {
            self.place(&asked.lists[at]).asked.insert(asked.id.to_owned());
            return false;
        }
        let mut is_new = false;
        for list in asked.lists {
            let place = self.place(list);
            // Where a list cannot be read a longer one cannot either.
            if place.list == Worth::Refused {
                break;
            }
            is_new |= place.asked.insert(asked.id.to_owned());
        }
        let is_worth = |place: &Place| place.list == Worth::NotYet && place.asked.len() >= asked.worth_a_list;
        let Some(at) = asked.lists.iter().position(|list| self.places.get(list).is_some_and(is_worth)) else {
            return is_new;
        };
        let (list, longer) = (&asked.lists[at], &asked.lists[at + 1..]);
        self.place(list).list = Worth::Listed;
        let covered = self.place(list).asked.clone();
        for list in longer {
            let place = self.place(list);
            for id in &covered {
                place.asked.remove(id);
            }
        }
        true
    }

    fn place(&mut self, list: &str) -> &mut Place {
        self.places.entry(list.to_owned()).or_default()
    }
}

impl Gathering {
    /// Decides which list takes the place of a read, together with the reads that begin meanwhile, and gives its position. With
    /// `None` the resource is read by itself.
    pub(crate) async fn decide(&self, asked: &Asked<'_>, tokens: &Tokens, limits: &Limits<'_>) -> Option<usize> {
        self.0.send_if_modified(|counts| counts.count(asked));
        let is_settled = |counts: &Counts| counts.is_settled(asked);
        if !is_settled(&self.0.borrow()) {
            // Without a token nothing can be sent, and the request that follows fails with the reason.
            tokens.get(None, limits).await.ok()?;
            let mut counts = self.0.subscribe();
            let others = async {
                while !is_settled(&self.0.borrow()) && tokio::time::timeout(PAUSE, counts.changed()).await.is_ok() {}
            };
            let _ = limits.bound(|| "gathering reads".to_owned(), None, others).await;
            self.0.send_if_modified(|counts| {
                counts.decided.insert(asked.id.to_owned());
                false
            });
        }
        self.listed(asked)
    }

    /// The list that takes the place of a read already, by its position.
    pub(crate) fn listed(&self, asked: &Asked<'_>) -> Option<usize> {
        self.0.borrow().listed(asked)
    }

    /// How many resources that this list can have were asked for so far.
    pub(crate) fn asked_of(&self, list: &str) -> usize {
        self.0.borrow().places.get(list).map_or(0, |place| place.asked.len())
    }

    /// Notes that a list cannot be read: from now on the resources are read by themselves.
    pub(crate) fn refuse(&self, list: &str) {
        self.0.send_if_modified(|counts| {
            counts.place(list).list = Worth::Refused;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts reads of resources, each with its group, and gives the lists that they are read with in the end.
    fn counted(counts: &mut Counts, reads: impl IntoIterator<Item = (u32, &'static str)>) -> Vec<Option<String>> {
        let mut asked = Vec::new();
        for (id, group) in reads {
            let (id, lists) = (format!("{group}/{id}"), [group.to_owned(), "all".to_owned()]);
            counts.count(&Asked { id: &id, lists: &lists, worth_a_list: 10 });
            asked.push((id, lists));
        }
        let list = |(id, lists): &(String, [String; 2])| {
            counts.listed(&Asked { id, lists, worth_a_list: 10 }).map(|at| lists[at].clone())
        };
        asked.iter().map(list).collect()
    }

    #[test]
    fn ten_of_a_group_are_its_list_and_ten_of_many_groups_that_of_the_subscription() {
        let of = |list: &str, many| vec![Some(list.to_owned()); many];
        assert_eq!(counted(&mut Counts::default(), (0..9).map(|id| (id, "a"))), vec![None; 9]);
        assert_eq!(counted(&mut Counts::default(), (0..20).map(|id| (id % 9, "a"))), vec![None; 20], "one counts once");
        assert_eq!(counted(&mut Counts::default(), (0..10).map(|id| (id, "a"))), of("a", 10));
        assert_eq!(counted(&mut Counts::default(), (0..10).map(|id| (id, ["a", "b"][id as usize % 2]))), of("all", 10));
    }

    #[test]
    fn what_a_list_has_counts_for_no_other() {
        let mut counts = Counts::default();
        counted(&mut counts, (0..30).map(|id| (id, "a")));
        assert_eq!(counted(&mut counts, (0..9).map(|id| (id, "b"))), vec![None; 9]);
        assert_eq!(counted(&mut counts, [(0, "c")]), [Some("all".to_owned())]);
        assert_eq!(counted(&mut counts, (0..30).map(|id| (id, "d"))), vec![Some("all".to_owned()); 30]);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_no_longer_counted_for() {
        let gathering = Gathering::default();
        gathering.0.send_modify(|counts| drop(counted(counts, (0..10).map(|id| (id, ["a", "b"][id as usize % 2])))));
        gathering.refuse("all");
        gathering.0.send_modify(|counts| {
            assert_eq!(counted(counts, (10..14).map(|id| (id, "a"))), vec![None; 4]);
            assert_eq!(counted(counts, [(14, "a")]), [Some("a".to_owned())], "the group's own list is another one");
        });
    }
}
