//! The declaration of a fleet, and its stores: each error has its line, and a store is written as it is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seskey::{Fleet, store::Store};

fuzz_target!(|text: &str| {
    match Fleet::parse(text) {
        Ok(fleet) => assert!(fleet.credentials.iter().all(|one| !one.stores.is_empty())),
        Err(errors) => {
            assert!(!errors.is_empty());
            let lines = text.lines().count().max(1);
            assert!(errors.iter().all(|error| (1..=lines + 1).contains(&error.line)));
        }
    }
    for line in text.lines().take(16) {
        if let Ok(store) = line.parse::<Store>() {
            assert_eq!(store.to_string().parse(), Ok(store), "{line}");
        }
    }
});
