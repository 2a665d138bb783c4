//! The objects of one walk that manage the same thing in the service, and what becomes of each.
//!
//! Engines tell a provider about one object at a time, in no fixed order. Two objects manage the same thing after a rename
//! without a `moved` block, where several blocks of a configuration name the same thing, where a deposed object is left from
//! a `create_before_destroy` replacement, and as the two halves of a replacement. None of that shows in a single call. A
//! [`Ledger`] therefore counts, from one ConfigureProvider to the next, which objects the state has and what is planned for
//! each. The plan of an object gets its [`Overlap`]s with others, and the deletion of an object asks its [`Succession`] for
//! the `Fate` of what it wrote.

mod key;
mod ledger;
mod subject;
mod succession;

pub use key::Key;
pub use ledger::{Ledger, Walk};
pub use subject::Overlap;
pub(crate) use subject::Relation;
pub(crate) use succession::Fate;
pub use succession::Succession;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn walk() -> Walk {
        Walk::new(Arc::default(), "thing")
    }

    fn key(subject: &str, name: &str) -> Key {
        let key = Key::new(subject);
        if name.is_empty() { key } else { key.named(name) }
    }

    /// What a plan has in common with others, shortly: how, with whom, and whether the names are the same.
    fn told(overlaps: &[Overlap]) -> Vec<(Relation, &str, Option<bool>)> {
        overlaps.iter().map(|overlap| (overlap.relation, overlap.other.as_str(), overlap.same_name)).collect()
    }

    /// What a plan said, and what it keeps.
    type Said = (Vec<(Relation, String, Option<bool>)>, Vec<String>);

    /// What the plans of one walk said, in their order.
    async fn plans(walk: &Walk, all: &[(&str, &[Key], &[Key])]) -> Vec<Said> {
        let mut said = Vec::new();
        for (label, prior, planned) in all {
            let (overlaps, kept) = walk.plan((label, prior), (label, planned)).await;
            let told = told(&overlaps).into_iter().map(|(how, other, same)| (how, other.to_owned(), same)).collect();
            said.push((told, kept));
        }
        said
    }

    fn kept(subject: &str) -> Vec<String> {
        vec![subject.to_owned()]
    }

    fn succession(walk: &Walk, replaced_by: Option<Vec<Key>>) -> Succession {
        Succession {
            walk: walk.clone(),
            replaced_by,
            kept: Vec::new(),
            seen_with_others: Vec::new(),
            is_deposed: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rename_is_told_by_whichever_comes_later_and_kept_where_it_can_be() {
        for (old, new, same) in [("n", "n", Some(true)), ("theirs", "n", Some(false)), ("n", "", None)] {
            let (old, new) = ([key("s", old)], [key("s", new)]);
            let is_kept = same != Some(false);
            // The deletion first.
            let walk = walk();
            walk.note_in_state(&old);
            let said = plans(&walk, &[("old", &old, &[]), ("new", &[], &new)]).await;
            let expected = vec![(Relation::Succeeds { kept: false }, "old".to_owned(), same)];
            assert_eq!(said, [(Vec::new(), Vec::new()), (expected, Vec::new())], "{same:?}");
            // The creation first.
            let walk = super::tests::walk();
            walk.note_in_state(&old);
            let said = plans(&walk, &[("new", &[], &new), ("old", &old, &[])]).await;
            let expected = vec![(Relation::IsSucceeded { kept: is_kept }, "new".to_owned(), same)];
            let kept = if is_kept { kept("s") } else { Vec::new() };
            assert_eq!(said, [(Vec::new(), Vec::new()), (expected, kept)], "{same:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_is_planned_like_a_creation_and_is_none() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.note_in_state(&it);
        assert!(walk.may_be_tainted(&it[0]));
        assert_eq!(plans(&walk, &[("it", &[], &it)]).await, [(Vec::new(), Vec::new())]);
        assert!(!walk.may_be_tainted(&it[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_and_the_one_that_it_replaced_say_nothing_of_each_other_in_either_order() {
        let it = [key("s", "n")];
        for removal_first in [true, false] {
            let walk = walk();
            walk.note_in_state(&it);
            walk.note_in_state(&it);
            let (removal, creation): ((&str, &[Key], &[Key]), _) = (("it", &it, &[]), ("it", &[][..], &it[..]));
            let said = plans(&walk, &if removal_first { [removal, creation] } else { [creation, removal] }).await;
            // What the creation makes is kept, if that is known by then.
            let kept = if removal_first { Vec::new() } else { kept("s") };
            let of_removal = &said[usize::from(!removal_first)];
            assert!(said.iter().all(|(told, _)| told.is_empty()), "{said:?}");
            assert_eq!(of_removal.1, kept);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_creation_beside_a_removal_and_one_that_stays_is_told_of_both() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.note_in_state(&it);
        walk.note_in_state(&it);
        let said = plans(&walk, &[("stays", &it, &it), ("goes", &it, &[]), ("new", &[], &it)]).await;
        assert_eq!(said[1], (vec![(Relation::Stays, "stays".to_owned(), Some(true))], kept("s")));
        let both = vec![
            (Relation::BothStay, "stays".to_owned(), Some(true)),
            (Relation::Succeeds { kept: true }, "goes".to_owned(), Some(true)),
        ];
        assert_eq!(said[2], (both, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replacement_that_makes_the_new_object_first_keeps_what_it_made_and_says_nothing() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.note_in_state(&it);
        // The creation half is applied, and then the other half is planned and applied.
        assert_eq!(plans(&walk, &[("it", &[], &it)]).await[0].0, []);
        walk.note_written(&it[0]);
        assert_eq!(plans(&walk, &[("it", &it, &[])]).await, [(Vec::new(), kept("s"))]);
        assert_eq!(succession(&walk, None).fate(&it[0]), Fate::Keep);
        // Under another name it is another object of the service, which goes.
        let other = [key("s", "other")];
        assert_eq!(succession(&walk, None).fate(&other[0]), Fate::Undo);
        assert_eq!(succession(&walk, None).fate(&key("t", "n")), Fate::Undo);
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_stay_or_are_made_are_told_of_by_the_later_one_whatever_their_names() {
        for (one, two, same) in [("n", "n", Some(true)), ("n", "m", Some(false)), ("n", "", None)] {
            for (prior_one, prior_two) in [(true, true), (true, false), (false, true), (false, false)] {
                let (one, two) = ([key("s", one)], [key("s", two)]);
                let prior = |it, has: bool| if has { it } else { &[][..] };
                let walk = walk();
                let said =
                    plans(&walk, &[("a", prior(&one, prior_one), &one), ("b", prior(&two, prior_two), &two)]).await;
                let expected = (Relation::BothStay, "a".to_owned(), same);
                assert_eq!(said[0], (Vec::new(), Vec::new()));
                assert_eq!(said[1], (vec![expected], Vec::new()), "{prior_one} {prior_two}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_subject_that_is_shared_is_nobodys_alone() {
        let it = [key("s", "").shared()];
        let said = plans(&walk(), &[("a", &it, &it), ("b", &it, &it), ("c", &[], &it), ("d", &it, &[])]).await;
        assert!(said[..3].iter().all(|(told, kept)| told.is_empty() && kept.is_empty()), "{said:?}");
        assert_eq!(said[3].1, kept("s"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_keeps_what_one_that_stays_has_or_that_one_is_told() {
        let it = [key("s", "n")];
        let two = || {
            let walk = walk();
            walk.note_in_state(&it);
            walk.note_in_state(&it);
            walk
        };
        let said = plans(&two(), &[("stays", &it, &it), ("goes", &it, &[])]).await;
        assert_eq!(said[1], (vec![(Relation::Stays, "stays".to_owned(), Some(true))], kept("s")));
        let said = plans(&two(), &[("goes", &it, &[]), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (vec![(Relation::IsUndone, "goes".to_owned(), Some(true))], Vec::new()));
        // Nobody else is concerned where the names differ.
        let said = plans(&two(), &[("goes", &[key("s", "m")], &[]), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (Vec::new(), Vec::new()));
        // A change that releases it is no deletion: its apply plans again and knows of no other object.
        let elsewhere = [key("t", "n")];
        let said = plans(&two(), &[("stays", &it, &it), ("changes", &it, &elsewhere)]).await;
        assert_eq!(said[1], (vec![(Relation::Releases, "stays".to_owned(), Some(true))], kept("s")));
        let said = plans(&two(), &[("changes", &it, &elsewhere), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (vec![(Relation::IsUndone, "changes".to_owned(), Some(true))], Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deposed_object_keeps_what_was_seen_with_others_and_its_successor_does_not() {
        let it = key("s", "n");
        let walk = walk();
        walk.note_in_state(std::slice::from_ref(&it));
        assert_eq!(walk.seen_with_others(std::slice::from_ref(&it)), [""; 0]);
        walk.note_in_state(std::slice::from_ref(&it));
        let seen_with_others = walk.seen_with_others(std::slice::from_ref(&it));
        assert_eq!(seen_with_others, ["s"]);
        // The apply plans the deposed one, whichever of the two it deletes first.
        let walk = super::tests::walk();
        walk.plan(("deposed", std::slice::from_ref(&it)), ("", &[])).await;
        let of = |is_deposed| Succession {
            seen_with_others: seen_with_others.clone(),
            is_deposed,
            ..succession(&walk, None)
        };
        assert_eq!((of(true).fate(&it), of(true).is_expected(&it)), (Fate::Keep, true));
        assert_eq!(of(false).fate(&it), Fate::Undo);
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_hands_over_until_its_successor_has_it() {
        let it = key("s", "n");
        let walk = walk();
        let half = || succession(&walk, Some(vec![it.clone()]));
        assert!(half().is_replacement() && !succession(&walk, None).is_replacement());
        assert_eq!(half().fate(&it), Fate::HandOver);
        // What the successor does not need goes.
        assert_eq!(half().fate(&key("t", "n")), Fate::Undo);
        half().hand_over(&it, 7_u8);
        assert!(walk.is_handed_over(&it));
        assert_eq!((walk.take_handed_over::<u8>(&it), walk.take_handed_over::<u8>(&it)), (Some(7), None));
        walk.note_written(&it);
        assert_eq!(half().fate(&it), Fate::Succeeded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_plan_of_a_replacement_keeps_what_others_have_by_then() {
        let (old, new) = ([key("s", "n")], [key("t", "n")]);
        let walk = walk();
        walk.note_in_state(&old);
        plans(&walk, &[("it", &old, &new)]).await;
        assert_eq!(walk.kept(&old, &new), [""; 0]);
        let said = plans(&walk, &[("other", &[], &old)]).await;
        assert_eq!(said[0].0, [(Relation::Succeeds { kept: false }, "it".to_owned(), Some(true))]);
        assert_eq!(walk.kept(&old, &new), ["s"]);
        assert_eq!(walk.kept(&old, &old), [""; 0]);
    }

    #[test]
    fn a_claim_is_told_to_other_types_and_the_latest_of_a_type_counts() {
        let ledger = Arc::default();
        let (one, other) = (Walk::new(Arc::clone(&ledger), "one"), Walk::new(ledger, "other"));
        assert_eq!(one.claim("s", "a"), []);
        assert_eq!(one.claim("s", "b"), []);
        assert_eq!(other.claim("s", "b"), [("one", "b".to_owned())]);
        assert_eq!(other.claim("t", "b"), []);
        assert!(one.has_claim("t") && !one.has_claim("u"));
        assert_eq!(one.claim("s", "b"), [("other", "b".to_owned())]);
        one.note_changing(&key("s", ""));
        assert!(other.has_changed(&key("s", "")) && !other.has_changed(&key("t", "")));
    }

    #[tokio::test(start_paused = true)]
    async fn types_and_walks_do_not_mix() {
        let it = [key("s", "n")];
        let ledger = Arc::default();
        let (one, other) = (Walk::new(Arc::clone(&ledger), "one"), Walk::new(ledger, "other"));
        one.note_in_state(&it);
        assert!(one.is_in_state(&it[0]) && !other.is_in_state(&it[0]));
        assert!(one.id() == other.id() && one.id() != walk().id());
        assert!(one.has_no_other_name_in_state(&it[0]) && !one.has_no_other_name_in_state(&key("s", "m")));
        one.note_deleted(&it[0]);
        assert!(one.has_deleted(&it[0]) && !one.has_deleted(&key("s", "m")) && !other.has_deleted(&it[0]));
    }
}
