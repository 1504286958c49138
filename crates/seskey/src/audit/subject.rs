//! A user, and the facts that it is judged by.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Documents, Key, Limits, Policies, Reach, Sign, Snapshot, User, later};
use crate::{
    access_key::AccessKeyId,
    fleet::Credential,
    policy::{Policy, PolicySource},
    rotation::{Goal, NoteError, Notes, Sending},
};

/// A user that is judged.
pub(super) struct Subject<'a> {
    pub(super) user: &'a User,
    /// The sign that it sends by SMTP; absent if there is none.
    pub(super) sign: Option<Sign>,
    /// The policies of the user and of its groups that can be read.
    pub(super) policies: Vec<(PolicySource, &'a Policy)>,
    /// Whether they let it send.
    pub(super) sending: Sending,
    /// The notes of its rotations.
    pub(super) notes: Result<Notes, NoteError>,
    /// Its row in `seskey.toml`.
    pub(super) declared: Option<&'a Credential>,
    /// Whether there is a `seskey.toml`.
    pub(super) has_fleet: bool,
    /// The groups of the account.
    pub(super) groups: &'a BTreeMap<String, Policies>,
    pub(super) reach: &'a Reach,
    pub(super) now: Timestamp,
    pub(super) limits: Limits,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        user: &'a User,
        documents: &'a Documents<'_>,
        declared: Option<&'a [Credential]>,
        limits: &Limits,
    ) -> Self {
        let policies = policies(snapshot, user, documents);
        let boundary = user.boundary.as_deref().map(|arn| {
            let document = snapshot.managed.get(arn);
            (arn, document.and_then(|text| documents.get(text)))
        });
        let names: Vec<String> = policies.iter().map(|(source, _)| source.to_string()).collect();
        let named = names.iter().map(String::as_str).zip(policies.iter().map(|(_, it)| *it));
        let sending = Sending::of(named, boundary, &identities(&user.arn));
        let tags = user.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut rows = declared.into_iter().flatten();
        let mut subject = Self {
            user,
            sign: None,
            policies,
            sending,
            notes: Notes::from_tags(tags),
            declared: rows.find(|row| row.user.as_str() == user.name),
            has_fleet: declared.is_some(),
            groups: &snapshot.groups,
            reach: &snapshot.reach,
            now: snapshot.now,
            limits: *limits,
        };
        subject.sign = Sign::of(&subject);
        subject
    }

    pub(super) fn age(&self, key: &Key) -> SignedDuration {
        self.now.duration_since(key.created)
    }

    /// Returns the time since then.
    pub(super) fn ago(&self, time: Timestamp) -> SignedDuration {
        self.now.duration_since(time)
    }

    /// Returns the goal of its rotation: that of its row, or the default.
    pub(super) fn goal(&self) -> Goal {
        let usual = || Goal::days(90, 7, 7).expect("it is more than no time");
        self.declared.map_or_else(usual, |row| row.goal.clone())
    }

    /// Returns the time at which a note has the key as inactive. The credential report has no IDs: there the last
    /// fitting note counts.
    pub(super) fn retired_at(&self, key: &Key) -> Option<Timestamp> {
        let retired = &self.notes.as_ref().ok()?.retired;
        match &key.id {
            Some(id) => retired.at(&AccessKeyId::parse(id).ok()?),
            None => retired.times().filter(|at| key.created <= *at).max(),
        }
    }

    /// Whether this time has passed, and a day more, in which a rotation would have done its work.
    pub(super) fn is_overdue(&self, since: Timestamp, time: SignedDuration) -> bool {
        later(later(since, time), DAY) <= self.now
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn policies<'a>(
    snapshot: &'a Snapshot,
    user: &'a User,
    documents: &'a Documents<'_>,
) -> Vec<(PolicySource, &'a Policy)> {
    let groups = || user.groups.iter().filter_map(|name| Some((name, snapshot.groups.get(name)?)));
    let own = user.policies.inline.iter();
    let own = own.map(|(name, text)| (PolicySource::Inline { name: name.clone() }, text));
    let of_groups = groups().flat_map(|(group, policies)| {
        policies.inline.iter().map(move |(name, text)| {
            (PolicySource::Group { group: group.clone(), name: name.clone() }, text)
        })
    });
    let attached = groups().flat_map(|(_, policies)| &policies.attached);
    let managed = user.policies.attached.iter().chain(attached).filter_map(|(_, arn)| {
        Some((PolicySource::Managed { arn: arn.clone() }, snapshot.managed.get(arn)?))
    });
    let all = own.chain(of_groups).chain(managed);
    all.filter_map(|(source, text)| Some((source, documents.get(text)?))).collect()
}

/// Returns the ARN of every identity in the account of the user, in every region.
fn identities(user_arn: &str) -> String {
    let mut parts = user_arn.split(':');
    let (partition, account) = (parts.nth(1).unwrap_or("aws"), parts.nth(2).unwrap_or_default());
    format!("arn:{partition}:ses:*:{account}:identity/*")
}
