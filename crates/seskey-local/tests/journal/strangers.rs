//! Foreign files in the data directory, and an authority with a wrong date.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
};

use seskey_local::JournalError;

use crate::place::{Place, mode};

#[test]
fn no_link_is_followed() {
    for name in ["lock", "seskey.db", "seskey.db-wal", "seskey.db-shm", "ca.pem"] {
        let place = Place::new();
        let [victim, nowhere] = ["victim", "nowhere"].map(|name| place.folder.path().join(name));
        fs::write(&victim, "important\n").unwrap();
        fs::set_permissions(&victim, Permissions::from_mode(0o644)).unwrap();
        fs::create_dir(place.directory()).unwrap();
        let link = place.directory().join(name);
        for target in [&victim, &nowhere] {
            symlink(target, &link).unwrap();
            let refused = place.refusal(place.config());
            assert!(matches!(refused, JournalError::File { path, .. } if path == link), "{name}");
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(mode(&victim), 0o644, "{name}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "important\n", "{name}");
        assert!(!nowhere.exists(), "{name}");
        place.start();
    }
}

#[test]
fn an_empty_file_is_no_database() {
    let place = Place::new();
    drop(place.start());
    let database = place.directory().join("seskey.db");
    fs::write(&database, "").unwrap();
    assert!(matches!(place.refusal(place.config()), JournalError::Foreign { .. }));
    assert_eq!(fs::read(&database).unwrap(), b"");
}

/// A database is made under another name, and renamed when it is complete.
#[test]
fn what_a_killed_start_has_left_is_in_nobodys_way() {
    let place = Place::new();
    fs::create_dir(place.directory()).unwrap();
    for name in ["seskey.db-new", "seskey.db-new-wal", "seskey.db-new-shm"] {
        fs::write(place.directory().join(name), "half of it").unwrap();
    }
    drop(place.start());
    assert!(place.files().iter().all(|(name, ..)| !name.contains("-new")));
    place.start();
}

#[test]
fn an_authority_of_another_time_is_made_anew() {
    let place = Place::new();
    let first = place.start().authority_pem.clone();
    assert_eq!(place.start().authority_pem, first, "it is kept");
    // the database is from before the date was stored
    place.database().execute("DELETE FROM setting WHERE name = 'authority-made'", ()).unwrap();
    assert_eq!(place.start().authority_pem, first, "it is as old as the account");
    let mut before = first;
    for made in ["2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"] {
        let sql = "INSERT OR REPLACE INTO setting VALUES ('authority-made', ?1)";
        place.database().execute(sql, [made]).unwrap();
        let anew = place.start().authority_pem.clone();
        assert_ne!(anew, before, "{made}");
        assert_eq!(place.start().authority_pem, anew, "{made}: once");
        before = anew;
    }
}
