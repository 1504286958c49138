//! The next step of a rotation, from the state of a user and of the store that its credential is in.

#![allow(clippy::print_stdout, reason = "an example")]

use std::{collections::BTreeSet, error::Error};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    AccessKeyId, Region,
    rotation::{Goal, HandOver, Key, Notes, RunId, Seen, Sending, Store, StoreId, next},
};

fn main() -> Result<(), Box<dyn Error>> {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let goal = Goal::new(days(90), days(7), days(30))?;
    let key: AccessKeyId = "AKIAIOSFODNN7EXAMPLE".parse()?;
    let created: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let store = StoreId::of("file:/etc/app.env us-east-1");
    let (stores, elsewhere) = (BTreeSet::from([store]), BTreeSet::new());
    let hand_over = HandOver { key: key.clone(), at: created, stores, elsewhere };
    for age in [30, 91] {
        let seen = Seen {
            now: created + days(age),
            keys: vec![Key { id: key.clone(), active: true, created, last_used: None }],
            notes: Notes { hand_over: Some(hand_over.clone()), ..Notes::default() },
            stores: vec![Store {
                id: store,
                region: Region::parse("us-east-1")?,
                holds: BTreeSet::from([key.clone()]),
                is_empty: false,
                before: None,
            }],
            sending: Sending::Allowed,
            run: RunId::of("host", "1"),
            gone: BTreeSet::new(),
            at_hand: BTreeSet::new(),
            kept: BTreeSet::new(),
            proven: BTreeSet::new(),
            unconfirmed: BTreeSet::new(),
            refused: BTreeSet::new(),
            pending: BTreeSet::new(),
            hooked: None,
        };
        println!("{age} days old: {:?}", next(&seen, &goal));
    }
    Ok(())
}
