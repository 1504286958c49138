//! The notes as tags: a written note is read again, and nothing else is a note.

use jiff::Timestamp;
use proptest::prelude::*;
use seskey::{
    AccessKeyId,
    rotation::{
        HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, KEY_LIMIT, Notes, RETIRED_TAG, Retired, RunId,
        STORES, StoreId,
    },
};

fn an_id() -> impl Strategy<Value = AccessKeyId> {
    "AKIA[A-Z2-7]{16}".prop_map(|text| AccessKeyId::parse(&text).unwrap())
}

fn a_time() -> impl Strategy<Value = Timestamp> {
    (0..4_102_444_800_i64).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn a_run() -> impl Strategy<Value = RunId> {
    ("[a-z]{3}", "[0-9]{3}").prop_map(|(host, process)| RunId::of(&host, &process))
}

fn a_store() -> impl Strategy<Value = StoreId> {
    "[a-z]{8}".prop_map(|name| StoreId::of(&name))
}

fn is_a_tag_value(text: &str) -> bool {
    text.len() <= 256 && text.chars().all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c))
}

proptest! {
    #[test]
    fn an_intent(
        before in prop::collection::vec(an_id(), 0..=KEY_LIMIT),
        stores in prop::collection::btree_set(a_store(), 0..=STORES),
        made in prop::collection::btree_map(an_id(), prop::option::of(a_run()), 0..=KEY_LIMIT),
    ) {
        let intent = Intent { before, made, stores };
        let text = intent.to_string();
        prop_assert_eq!(text.parse(), Ok(intent));
    }

    #[test]
    fn a_hand_over(
        key in an_id(),
        at in a_time(),
        stores in prop::collection::btree_set(a_store(), 0..=STORES),
        named in 0..=STORES,
    ) {
        let stores: Vec<StoreId> = stores.into_iter().collect();
        let (stores, elsewhere) = stores.split_at(named.min(stores.len()));
        let [stores, elsewhere] = [stores, elsewhere].map(|ids| ids.iter().copied().collect());
        let note = HandOver { key, at, stores, elsewhere };
        let text = note.to_string();
        prop_assert!(is_a_tag_value(&text));
        prop_assert_eq!(text.parse(), Ok(note));
    }

    #[test]
    fn retired_keys(keys in prop::collection::btree_map(an_id(), a_time(), 0..3)) {
        let words: Vec<String> = keys.iter().map(|(key, at)| format!("{key} {at}")).collect();
        let text = words.join(" ");
        let note: Retired = text.parse().unwrap();
        prop_assert!(keys.iter().all(|(key, at)| note.at(key) == Some(*at)));
        prop_assert!(is_a_tag_value(&text));
        prop_assert_eq!(note.to_string(), text);
    }

    #[test]
    fn anything(text in "([ -~é]|AKIA[A-Z]{16} ?|before|made|2026-08-20T20:08:20Z ){0,6}") {
        for tag in [INTENT_TAG, HAND_OVER_TAG, RETIRED_TAG] {
            if let Err(error) = Notes::from_tags([(tag, text.as_str())]) {
                prop_assert_eq!((error.tag, error.value), (tag, text.clone()));
            }
        }
    }
}

#[test]
fn no_note_of_ours() {
    for (tag, value) in [
        (INTENT_TAG, ""),
        (INTENT_TAG, "AKIAIOSFODNN7EXAMPLE"),
        (INTENT_TAG, "before ASIAIOSFODNN7EXAMPLE"),
        (INTENT_TAG, "before made made"),
        (HAND_OVER_TAG, ""),
        (HAND_OVER_TAG, "AKIAIOSFODNN7EXAMPLE"),
        (INTENT_TAG, "before made AKIAIOSFODNN7EXAMPLE 1a2b3c4d"),
        (HAND_OVER_TAG, "AKIAIOSFODNN7EXAMPLE yesterday"),
        (HAND_OVER_TAG, "AKIAIOSFODNN7EXAMPLE 2026-08-20T20:08:20Z 1a2b3c4d"),
        (HAND_OVER_TAG, "AKIAIOSFODNN7EXAMPLE 2026-08-20T20:08:20Z in 1A2B3C4D"),
        (HAND_OVER_TAG, "AKIAIOSFODNN7EXAMPLE 2026-08-20T20:08:20Z AKIAIOSFODNN7EXAMPLE"),
        (RETIRED_TAG, "AKIAIOSFODNN7EXAMPLE 2026-08-20T20:08:20Z AKIAIOSFODNN7EXAMPLE"),
    ] {
        assert!(Notes::from_tags([(tag, value)]).is_err(), "{tag} = {value:?}");
    }
    assert_eq!(Notes::from_tags([("team", "mail")]), Ok(Notes::default()));
}
