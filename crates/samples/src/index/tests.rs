//! Which series match, compared with asking each of them.

use super::*;

fn labels(text: &str) -> Labels {
    text.split(' ').filter_map(|pair| pair.split_once('=')).collect()
}

fn some_series() -> (Index, Vec<Labels>) {
    let texts = [
        "__name__=up job=a place=jfk",
        "__name__=up job=b",
        "__name__=up job=b place=lga",
        "__name__=temperature place=jfk provider=x",
        "__name__=temperature place=lga provider=y",
        "__name__=temperature",
        "job=a",
    ];
    let all: Vec<Labels> = texts.into_iter().map(labels).collect();
    let mut index = Index::default();
    for labels in &all {
        index.add(labels, 0).unwrap();
    }
    (index, all)
}

#[track_caller]
fn check(sets: &[&[(&str, MatchOperator, &str)]]) {
    let (index, all) = some_series();
    let sets: Vec<Vec<Matcher>> = sets
        .iter()
        .map(|set| set.iter().map(|(name, op, value)| Matcher::new(name, *op, value).unwrap()))
        .map(Iterator::collect)
        .collect();
    let sets: Vec<&[Matcher]> = sets.iter().map(|set| &**set).collect();
    let found: Vec<Labels> =
        index.matching(&sets).into_iter().map(|series| index.labels(series).unwrap()).collect();
    let holds = |labels: &Labels, set: &&[Matcher]| {
        set.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
    };
    let mut expected = all;
    expected.retain(|labels| sets.is_empty() || sets.iter().any(|set| holds(labels, set)));
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn series_that_match_are_found_in_order() {
    use MatchOperator::{Equal, NotEqual, NotRegex, Regex};
    check(&[]);
    check(&[&[("__name__", Equal, "up")]]);
    check(&[&[("__name__", Equal, "down")]]);
    check(&[&[("nothing", Equal, "up")]]);
    check(&[&[("__name__", Equal, "up"), ("nothing", NotEqual, "up")]]);
    check(&[&[("__name__", Equal, "up"), ("place", Equal, "")]]);
    check(&[&[("__name__", Equal, "up"), ("place", NotEqual, "jfk")]]);
    check(&[&[("__name__", Regex, ".+"), ("place", Regex, "jfk|lga"), ("job", Equal, "a")]]);
    check(&[&[("__name__", Regex, "up|temp.*"), ("place", NotRegex, "j.*")]]);
    check(&[&[("place", NotEqual, "")]]);
    check(&[&[("place", Regex, ".*"), ("job", Equal, "a")]]);
    check(&[&[("job", Equal, "a")], &[("place", Equal, "jfk")], &[("job", Regex, "a|b")]]);
}

#[test]
fn a_forgotten_series_leaves_nothing_behind() {
    let (mut index, all) = some_series();
    let ids: Vec<SeriesId> = all.iter().map(|labels| index.resolve(labels, 0).unwrap()).collect();
    for id in &ids {
        index.remove(id.slot);
        assert_eq!(index.labels(*id), None);
    }
    assert_eq!(index.len(), 0);
    assert!(index.postings.is_empty());
    assert_eq!(index.matching(&[]), []);
    let again = index.add(&labels("__name__=new a=b"), 0).unwrap();
    assert!(ids.iter().all(|id| id.number != again.number && again.slot < 7));
    assert_eq!(index.labels(again), Some(labels("__name__=new a=b")));
    assert_eq!(ids.iter().find_map(|id| index.labels(*id)), None);
}

#[test]
fn the_largest_counts_come_first() {
    let (index, _) = some_series();
    let most = index.cardinality(2);
    let counts = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(most.series_by_metric, counts(&[("temperature", 3), ("up", 3)]));
    assert_eq!(most.values_by_label, counts(&[("__name__", 2), ("job", 2)]));
    assert_eq!(most.bytes_by_label, counts(&[("__name__", 13), ("place", 6)]));
    assert_eq!(most.series_by_pair, counts(&[("__name__=temperature", 3), ("__name__=up", 3)]));
    assert_eq!(most.label_pairs, 8);
}
