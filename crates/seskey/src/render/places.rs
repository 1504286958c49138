//! The places of a user's credential in a text: every entry with one of the user's access keys, under any name.
//!
//! A form says which values its text has, and which of them stand together. A value shows by itself whether it is an
//! access key ID, an SMTP password, or the SMTP endpoint of a region.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{Form, Lines, Names, RenderError, slots::encoded};
use crate::{
    access_key::AccessKeyId, credential::SmtpCredential, password::SmtpPassword, region::Region,
};

pub(super) struct Value {
    pub(super) line: u64,
    /// Its name; empty if it has none.
    pub(super) name: String,
    pub(super) text: String,
    /// Its place, without its quotation marks.
    pub(super) at: Range<usize>,
    /// Whether it is percent-encoded there.
    pub(super) in_url: bool,
}

/// Values that stand together, such as the members of one object.
pub(super) type Group = Vec<Value>;

impl Value {
    /// Makes the value of a part.
    pub(super) fn of(text: &str, line: u64, name: &str, part: &str) -> Self {
        let start = part.as_ptr().addr() - text.as_ptr().addr();
        let at = start..start + part.len();
        Self { line, name: name.to_owned(), text: part.to_owned(), at, in_url: false }
    }
}

/// A credential of the user, and the places of its two values.
pub(super) struct Found {
    pub(super) credential: SmtpCredential,
    user_name: Range<usize>,
    password: Range<usize>,
    in_url: bool,
    pub(super) line: u64,
}

/// Finds all entries with one of these keys, in groups of values that stand together, without the entries for the
/// regions that the form has beside it.
///
/// # Errors
/// Returns the lines of a key without a password that is clearly its own, of two passwords for one key, or of a key for
/// another region.
pub(super) fn find(
    groups: &[Group],
    form: &Form,
    host: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Vec<Found>, RenderError> {
    let mut found = vec![];
    for values in groups {
        found.extend(find_in(values, form, host, keys)?);
    }
    for key in keys {
        let of_key = || found.iter().filter(|found| found.credential.user_name == *key);
        let passwords: Vec<_> = of_key().map(|found| &found.credential.password).collect();
        if passwords.iter().any(|password| *password != passwords[0]) {
            let lines: BTreeSet<_> = of_key().map(|found| found.line).collect();
            let lines = Lines(lines.into_iter().collect());
            return Err(RenderError::SeveralPasswords { lines });
        }
    }
    Ok(found)
}

/// Returns the text with this credential in place of those that were found. All other text stays, byte for byte.
pub(super) fn replace(before: &str, found: &[Found], credential: &SmtpCredential) -> String {
    let (user_name, password) = (credential.user_name.as_str(), credential.password.expose());
    let encoded = encoded(credential.password.expose());
    let values = |found: &Found| {
        let password = if found.in_url { &encoded } else { password };
        [(&found.user_name, user_name), (&found.password, password)]
            .map(|(at, value)| (at.start, (at.end, value)))
    };
    // user names may share a password
    let values: BTreeMap<_, _> = found.iter().flat_map(values).collect();
    let (mut text, mut rest) = (String::new(), 0);
    for (start, (end, value)) in values {
        text.extend([&before[rest..start], value]);
        rest = end;
    }
    text + &before[rest..]
}

/// A value that is an access key ID, the user's or not.
struct User<'a> {
    value: &'a Value,
    key: AccessKeyId,
    is_ours: bool,
}

fn find_in(
    values: &[Value],
    form: &Form,
    host: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Vec<Found>, RenderError> {
    let names = &form.names;
    let has_key = |text: &str| keys.iter().any(|key| text.contains(key.as_str()));
    if !values.iter().any(|value| has_key(&value.name) || has_key(&value.text)) {
        return Ok(vec![]);
    }
    let users = values.iter().filter_map(|value| {
        let key = AccessKeyId::parse(&value.text).ok()?;
        Some(User { value, is_ours: keys.contains(&key), key })
    });
    let users: Vec<_> = users.collect();

    let (mut own, mut left, mut elsewhere) = (vec![], vec![], vec![]);
    if let Some(region) = Region::of_smtp_endpoint(host) {
        let endpoints = values.iter().filter_map(|value| Some((value, endpoint(&value.text)?)));
        for (value, other, owners) in owned(endpoints, &users, names) {
            let ours = owners.into_iter().filter(|user| user.is_ours);
            let place = if other == region {
                &mut own
            } else if form.beside.contains(&other) {
                &mut left
            } else {
                &mut elsewhere
            };
            place.extend(ours.map(|user| (value.line, &user.value.at)));
        }
    }
    // an entry with two endpoints belongs to neither
    elsewhere.extend(left.iter().filter(|(_, user)| own.iter().any(|(_, other)| other == user)));
    if !elsewhere.is_empty() {
        let lines: BTreeSet<_> = elsewhere.into_iter().map(|(line, _)| line).collect();
        return Err(RenderError::OtherRegion { lines: Lines(lines.into_iter().collect()) });
    }
    let is_left = |at: &Range<usize>| left.iter().any(|(_, user)| *user == at);

    let passwords =
        values.iter().filter_map(|value| Some((value, SmtpPassword::parse(&value.text).ok()?)));
    let (mut found, mut unclear) = (vec![], BTreeSet::new());
    for (value, password, owners) in owned(passwords, &users, names) {
        if owners.iter().all(|user| is_left(&user.value.at)) {
            continue;
        }
        let is_ours = |user: &&User<'_>| user.is_ours && !is_left(&user.value.at);
        if !owners.iter().all(is_ours) {
            unclear.extend(owners.iter().any(is_ours).then_some(value.line));
            continue;
        }
        found.extend(owners.into_iter().map(|user| Found {
            credential: SmtpCredential {
                iam_user: None,
                user_name: user.key.clone(),
                password: password.clone(),
                endpoint: Some(host.to_owned()),
            },
            user_name: user.value.at.clone(),
            password: value.at.clone(),
            in_url: value.in_url,
            line: value.line,
        }));
    }
    let is_told =
        |at: &Range<usize>| found.iter().any(|found: &Found| found.user_name == *at) || is_left(at);
    let is_unclear =
        |value: &&Value| has_key(&value.name) || has_key(&value.text) && !is_told(&value.at);
    unclear.extend(values.iter().filter(is_unclear).map(|value| value.line));
    if unclear.is_empty() {
        Ok(found)
    } else {
        Err(RenderError::Unclear { lines: Lines(unclear.into_iter().collect()) })
    }
}

/// Returns each value with the users that it may belong to: those whose names share the most words with its own. One
/// that shares none belongs to the users to which no other value belongs, if there are such users.
fn owned<'a, T>(
    values: impl Iterator<Item = (&'a Value, T)>,
    users: &'a [User<'a>],
    names: &Names,
) -> Vec<(&'a Value, T, Vec<&'a User<'a>>)> {
    let nearest = |value: &Value| {
        let nearness = |user: &User<'_>| nearness(names, &user.value.name, &value.name);
        let most = users.iter().map(nearness).max().unwrap_or_default();
        let owners = users.iter().filter(|user| nearness(user) == most).collect::<Vec<_>>();
        (most, owners)
    };
    let values: Vec<_> = values.map(|(value, what)| (value, what, nearest(value))).collect();
    let is_taken = |user: &&&User<'_>| {
        values.iter().any(|(_, _, (most, owners))| {
            *most > 0 && owners.iter().any(|owner| owner.value.at == user.value.at)
        })
    };
    let free: Vec<_> = users.iter().filter(|user| !is_taken(&user)).collect();
    let owners = |(most, owners)| if most == 0 && !free.is_empty() { free.clone() } else { owners };
    values.into_iter().map(|(value, what, nearest)| (value, what, owners(nearest))).collect()
}

/// Returns the number of words that two names share: one for `MAIL_USER` and `MAIL_PASSWORD`. Chosen names belong
/// together.
fn nearness(names: &Names, user_name: &str, other: &str) -> usize {
    let is_chosen = [&names.password, &names.host].iter().any(|name| *name == other);
    if !user_name.is_empty() && user_name == names.user_name && is_chosen {
        return usize::MAX;
    }
    let others = words(other);
    words(user_name).intersection(&others).count()
}

/// Returns the words of a name, which are separated by marks or begin with a capital letter.
fn words(name: &str) -> BTreeSet<String> {
    let mut apart = String::new();
    let mut was_lower = false;
    for letter in name.chars() {
        if was_lower && letter.is_uppercase() {
            apart.push(' ');
        }
        was_lower = letter.is_lowercase();
        apart.extend(letter.to_lowercase());
    }
    apart
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the region whose SMTP endpoint is named, perhaps with a port, brackets or more around it.
pub(super) fn endpoint(text: &str) -> Option<Region> {
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.split(|c| !is_of_host(c)).find_map(Region::of_smtp_endpoint)
}
