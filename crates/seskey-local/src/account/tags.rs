//! The tags of users, roles and managed policies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Account, Answer, Page, Tagged};
use crate::refusal::ApiRefusal;

/// A tag. Keys that differ only in case are the same. Source: IAM User Guide, "Tags for IAM resources".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
const TAGS: usize = 50;

impl Account {
    pub(super) fn tag(&mut self, tagged: &Tagged, given: Vec<Tag>) -> Result<Answer, ApiRefusal> {
        let tags = self.tags_mut(tagged)?;
        *tags = with(tags, given, tagged.quota())?;
        Ok(Answer::Done)
    }

    pub(super) fn untag(
        &mut self,
        tagged: &Tagged,
        tag_keys: &[String],
    ) -> Result<Answer, ApiRefusal> {
        let tags = self.tags_mut(tagged)?;
        tags.retain(|tag| !tag_keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
        Ok(Answer::Done)
    }

    pub(super) fn list_tags(&self, tagged: &Tagged, page: &Page) -> Result<Answer, ApiRefusal> {
        let mut tags: Vec<&Tag> = self.tags(tagged)?.iter().collect();
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Answer::Tags(page.of(tags.into_iter().map(|tag| (&tag.key, tag.clone())))?))
    }

    /// Returns the tags of an existing resource, in the order in which they were given.
    pub(crate) fn tags(&self, tagged: &Tagged) -> Result<&[Tag], ApiRefusal> {
        match tagged {
            Tagged::User(name) => Ok(&self.user_entry(name)?.user.tags),
            Tagged::Role(name) => Ok(&self.role_entry(name)?.role.tags),
            Tagged::Policy(arn) => Ok(&self.managed_policy(arn)?.policy.tags),
        }
    }

    fn tags_mut(&mut self, tagged: &Tagged) -> Result<&mut Vec<Tag>, ApiRefusal> {
        match tagged {
            Tagged::User(name) => Ok(&mut self.user_entry_mut(name)?.user.tags),
            Tagged::Role(name) => Ok(&mut self.role_entry_mut(name)?.role.tags),
            Tagged::Policy(arn) => Ok(&mut self.own_policy_mut(arn)?.policy.tags),
        }
    }
}

impl Tagged {
    /// Returns the tags of a new resource.
    pub(super) fn first(&self, given: Vec<Tag>) -> Result<Vec<Tag>, ApiRefusal> {
        with(&[], given, self.quota())
    }

    fn quota(&self) -> &'static str {
        match self {
            Self::User(_) => "TagsPerUser",
            Self::Role(_) => "TagsPerRole",
            Self::Policy(_) => "TagsPerPolicy",
        }
    }
}

/// Adds tags. A key that exists already, in any case, keeps its place and gets the new tag.
fn with(tags: &[Tag], given: Vec<Tag>, quota: &'static str) -> Result<Vec<Tag>, ApiRefusal> {
    let folded: BTreeSet<String> = given.iter().map(|tag| tag.key.to_ascii_lowercase()).collect();
    if folded.len() < given.len() {
        return Err(ApiRefusal::InvalidInput(DUPLICATE_TAG_KEYS));
    }
    if folded.iter().any(|key| key.starts_with("aws:")) {
        return Err(ApiRefusal::InvalidInput(RESERVED_TAG_KEY));
    }
    let mut tags = tags.to_vec();
    for tag in given {
        match tags.iter_mut().find(|known| known.key.eq_ignore_ascii_case(&tag.key)) {
            Some(known) => *known = tag,
            None => tags.push(tag),
        }
    }
    match tags.len() {
        0..=TAGS => Ok(tags),
        _ => Err(ApiRefusal::LimitExceeded { quota, limit: TAGS }),
    }
}

const DUPLICATE_TAG_KEYS: &str =
    "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
const RESERVED_TAG_KEY: &str = "Tag keys that begin with aws: are reserved for system use.";
