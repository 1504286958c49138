//! The state of one AWS account: users, groups, roles, policies, access keys, sessions, identities, topics.
//!
//! [`Account::apply`] carries out one [`Action`] completely, or refuses it and changes nothing. Time and randomness are
//! arguments, so the same actions with the same arguments make the same account. Lists are sorted by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use seskey::{AccessKeyId, Partition, SecretAccessKey};

pub use action::{Action, EntityType, Holder, PolicyScope, PolicyUsage, Simulation, Tagged};
pub use answer::{
    AccessKeyMetadata, Answer, AttachedPolicy, Detail, EvalDecision, HeldDetail, MatchedStatement,
    PolicyEntity, Position, Simulated,
};
pub(crate) use context::OnDemand;
pub use context::RequestContext;
pub use groups::Group;
pub use identifiers::{AccountId, fresh_access_key};
pub use identities::{Identity, IdentityPolicyError, IdentitySettings, TooManyIdentities};
pub use keys::{AccessKey, LastUsed, Status};
pub use pages::{Listed, Page};
pub use passwords::{LoginProfile, ServiceSpecificCredential};
pub use policies::ManagedPolicy;
pub use roles::{NewRole, Role};
pub use rows::{RestoreError, Row};
pub(crate) use ses_resources::SUPPRESSED_REASONS;
pub use ses_resources::{
    EventDestination, SesResource, SesResourceKind, SesResourceLimit, Template,
    event_destination_name,
};
pub use sessions::{AssumeRole, Credentials, TemporaryCredential};
pub use tags::Tag;
pub use topics::{Subscription, SubscriptionState, Topic, TopicLimit};
pub use trust::TrustPolicy;
pub use users::User;
pub use versions::{PolicyVersion, VersionId};
pub use visibility::Lag;

use crate::{refusal::ApiRefusal, sigv4::SigningKey};
use rows::{LAST_USED, Root};
use table::Table;

mod action;
mod answer;
mod apply;
mod authority;
mod aws_managed;
mod boundaries;
mod context;
mod details;
mod groups;
mod held;
mod identifiers;
mod identities;
mod keys;
mod pages;
mod passwords;
mod policies;
mod report;
mod roles;
mod rows;
mod ses_resources;
mod sessions;
mod simulation;
mod summary;
mod table;
mod tags;
mod topics;
mod trust;
mod users;
mod verdict;
mod versions;
mod visibility;

/// An AWS account. Its `Debug` shows only the account ID.
pub struct Account {
    id: AccountId,
    partition: Partition,
    /// A single row, under the empty key.
    root: Table<String, Root>,
    users: Table<Folded, users::UserEntry>,
    groups: Table<Folded, groups::GroupEntry>,
    roles: Table<Folded, roles::RoleEntry>,
    /// Managed policies by their names, which are unique whatever the path.
    policies: Table<Folded, policies::PolicyEntry>,
    /// The access keys of all users and of the root user, by ID.
    access_keys: Table<String, AccessKey>,
    /// The temporary credentials, by access key ID.
    temporary_credentials: Table<String, TemporaryCredential>,
    /// The newest report, under the empty key.
    credential_report: Table<String, report::Report>,
    /// The identities, by `REGION/NAME`.
    identities: Table<String, identities::IdentityEntry>,
    /// The SES resources, by `REGION/KIND/NAME`.
    ses_resources: Table<String, SesResource>,
    /// The topics, by ARN.
    topics: Table<String, Topic>,
    /// The subscriptions, by ARN.
    subscriptions: Table<String, Subscription>,
    /// The last uses of access keys, in a table of their own: no client waits until they are stored.
    last_used: Table<String, LastUsed>,
    visibility: visibility::EventualVisibility,
    /// Whether there is another SNS beside this one. It is not stored, but set at each start.
    has_sns_beside_it: bool,
}

/// The owner of an access key, and so the caller of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The root user, who may do everything.
    Root,
    /// An IAM user, by its name.
    User(String),
    /// A session of a role. It never owns an access key.
    AssumedRole {
        /// The name of the role.
        role: String,
        /// The name of the session.
        session: String,
        /// The access key ID of the temporary credential, which may have a policy of its own.
        access_key_id: String,
    },
}

impl Principal {
    /// Returns the name of the IAM user, if it is one.
    pub fn user_name(&self) -> Option<&str> {
        match self {
            Self::User(name) => Some(name),
            Self::Root | Self::AssumedRole { .. } => None,
        }
    }

    /// Returns its name in SES events: the user, the role, or `root`.
    pub(crate) fn caller_identity(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::User(name) | Self::AssumedRole { role: name, .. } => name,
        }
    }
}

/// A name as IAM compares it: "names are not distinguished by case" (IAM API Reference, `CreateUser`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Folded(String);

impl Account {
    /// Creates an account with one active access key of the root user.
    pub fn new(
        id: AccountId,
        partition: Partition,
        root: (AccessKeyId, SecretAccessKey),
        now: Timestamp,
    ) -> Self {
        let (access_key_id, secret) = root;
        let create_date = whole_seconds(now);
        let key = AccessKey::new(Principal::Root, secret, create_date);
        let access_key_id = access_key_id.as_str().to_owned();
        let root = Root {
            account_id: id.clone(),
            partition,
            create_date,
            access_keys: vec![access_key_id.clone()],
            sending_paused: BTreeSet::new(),
            suppressed_reasons: BTreeMap::new(),
        };
        let mut account = Self { id, partition, ..Self::empty() };
        account.root.insert(String::new(), root);
        account.access_keys.insert(access_key_id, key);
        account
    }

    /// Creates an account without rows.
    fn empty() -> Self {
        Self {
            id: AccountId::parse("000000000000").expect("12 digits"),
            partition: Partition::Aws,
            root: Table::new("root"),
            users: Table::new("user"),
            groups: Table::new("group"),
            roles: Table::new("role"),
            policies: Table::new("policy"),
            access_keys: Table::new("access-key"),
            temporary_credentials: Table::new("temporary-credential"),
            credential_report: Table::new("credential-report"),
            identities: Table::new("identity"),
            ses_resources: Table::new("ses-resource"),
            topics: Table::new("topic"),
            subscriptions: Table::new("subscription"),
            last_used: Table::new(LAST_USED),
            visibility: visibility::EventualVisibility::default(),
            has_sns_beside_it: false,
        }
    }

    /// Records a use of an access key, through an API (`iam`, `sts`, `ses`, `sns`) or SMTP (`ses-smtp`). "When the
    /// access key is used more than once in a 15-minute span, only the first use is recorded" (IAM User Guide,
    /// "Generate credential reports for your AWS account"). Unknown keys are ignored.
    pub fn record_use(
        &mut self,
        access_key_id: &str,
        service_name: &str,
        region: &str,
        now: Timestamp,
    ) {
        let recorded = self.last_used(access_key_id).is_some_and(|last| {
            let since = now.duration_since(last.last_used_date);
            !since.is_negative() && since < LAST_USED_SPAN
        });
        if recorded || !self.access_keys.contains_key(access_key_id) {
            return;
        }
        let last_used = LastUsed {
            last_used_date: whole_seconds(now),
            service_name: service_name.to_owned(),
            region: region.to_owned(),
        };
        self.last_used.insert(access_key_id.to_owned(), last_used);
    }

    /// Returns the principal of an access key, permanent or temporary.
    ///
    /// # Errors
    /// `InvalidClientTokenId` and `ExpiredToken`.
    pub fn caller(&self, access_key_id: &str, now: Timestamp) -> Result<&Principal, ApiRefusal> {
        let key = self.access_keys.get(access_key_id);
        if let Some(key) = key.or_else(|| self.bygone_access_key(access_key_id)) {
            return Ok(key.owner());
        }
        match self.temporary_credential(access_key_id, now) {
            Some(session) => Ok(session.principal()),
            None if self.has_expired(access_key_id, now) => Err(ApiRefusal::ExpiredToken),
            None => Err(ApiRefusal::InvalidClientTokenId),
        }
    }

    /// Returns the key that may sign with an access key ID at this time: an active access key, as services see it, or a
    /// temporary credential.
    pub fn signing_key(
        &self,
        access_key_id: &str,
        now: Timestamp,
        coin: impl FnOnce() -> bool,
    ) -> Option<SigningKey> {
        if let Some(key) = self.seen_access_key(access_key_id, now, coin) {
            let active = key.status() == Status::Active;
            return active
                .then(|| SigningKey { secret: key.secret().clone(), session_token: None });
        }
        let session = self.temporary_credential(access_key_id, now)?;
        let session_token = Some(session.session_token().clone());
        Some(SigningKey { secret: session.secret().clone(), session_token })
    }

    /// Returns the access key of that ID, of a user or of the root user, active or not.
    pub fn access_key(&self, access_key_id: &str) -> Option<&AccessKey> {
        self.access_keys.get(access_key_id)
    }

    /// Returns the access keys of the root user, the oldest first.
    pub fn root_access_keys(&self) -> impl Iterator<Item = (&String, &AccessKey)> {
        self.root_user().access_keys.iter().map(|id| (id, &self.access_keys[id]))
    }

    /// Returns the last use of an access key, if there was one.
    pub fn last_used(&self, access_key_id: &str) -> Option<&LastUsed> {
        self.last_used.get(access_key_id)
    }

    /// Returns the user of that name.
    pub fn user(&self, user_name: &str) -> Option<&User> {
        self.users.get(&Folded::new(user_name)).map(|entry| &entry.user)
    }

    /// Returns the group of that name.
    pub fn group(&self, group_name: &str) -> Option<&Group> {
        self.groups.get(&Folded::new(group_name)).map(|entry| &entry.group)
    }

    /// Returns the role of that name.
    pub fn role(&self, role_name: &str) -> Option<&Role> {
        self.roles.get(&Folded::new(role_name)).map(|entry| &entry.role)
    }

    /// Returns the account ID.
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Returns the partition that the account is in.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Returns the ARN of an IAM resource in this account: `arn:aws:iam::111122223333:` and the resource, such as
    /// `user/Bob`.
    pub fn arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.id)
    }

    /// Returns the ARN of a principal. A user that no longer exists gets the ARN of a user without a path.
    pub fn principal_arn(&self, principal: &Principal) -> String {
        match principal {
            Principal::Root => self.arn("root"),
            Principal::User(name) => self
                .user(name)
                .map_or_else(|| self.arn(&format!("user/{name}")), |user| user.arn.clone()),
            Principal::AssumedRole { role, session, .. } => {
                format!("arn:{}:sts::{}:assumed-role/{role}/{session}", self.partition, self.id)
            }
        }
    }

    /// Returns the time when the account was created.
    pub(crate) fn create_date(&self) -> Timestamp {
        self.root_user().create_date
    }

    fn root_user(&self) -> &Root {
        self.root.get("").expect("an account is made with its root user")
    }

    fn root_user_mut(&mut self) -> &mut Root {
        self.root.get_mut(&String::new()).expect("an account is made with its root user")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Folded {
    fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }
}

/// Expects a name that is folded already.
impl From<String> for Folded {
    fn from(folded: String) -> Self {
        Self(folded)
    }
}

impl AsRef<str> for Folded {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

const LAST_USED_SPAN: SignedDuration = SignedDuration::from_mins(15);

/// Removes the fraction of a second: IAM's dates have none.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
