//! Temporary credentials: their principal, their duration and their session policy.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::{
    Secret, SecretAccessKey,
    policy::{PolicySource, counted_size},
};

use super::{Account, Answer, Principal, authority::Document, identifiers, rows};
use crate::refusal::{ApiRefusal, DurationFault, Missing};

/// A temporary credential as it is stored.
#[derive(Serialize, Deserialize)]
pub struct TemporaryCredential {
    pub(super) principal: Principal,
    #[serde(with = "rows::secret")]
    secret: SecretAccessKey,
    #[serde(with = "rows::token")]
    session_token: Secret,
    issue_time: Timestamp,
    expiration: Timestamp,
    /// The session policy, which limits its permissions.
    pub(super) policy: Option<Document>,
}

/// A temporary credential as it is returned, once. Source: STS API Reference, `Credentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Secret,
    pub expiration: Timestamp,
}

/// A role to assume. Source: STS API Reference, `AssumeRole`.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the parameters
pub struct AssumeRole {
    pub caller: Principal,
    pub role_arn: String,
    pub role_session_name: String,
    pub duration: SignedDuration,
    /// The session policy, which limits its permissions.
    pub policy: Option<String>,
}

impl TemporaryCredential {
    /// Returns the secret that it signs with.
    pub fn secret(&self) -> &SecretAccessKey {
        &self.secret
    }

    /// Returns the token that must come with each signature.
    pub fn session_token(&self) -> &Secret {
        &self.session_token
    }

    /// Returns the principal that makes requests with it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns the time when it was issued.
    pub fn issue_time(&self) -> Timestamp {
        self.issue_time
    }

    /// Returns the time when it expires.
    pub fn expiration(&self) -> Timestamp {
        self.expiration
    }
}

impl Account {
    /// Returns the temporary credential of that access key ID while it is valid.
    pub fn temporary_credential(
        &self,
        access_key_id: &str,
        now: Timestamp,
    ) -> Option<&TemporaryCredential> {
        self.temporary_credentials.get(access_key_id).filter(|it| now < it.expiration)
    }

    /// Whether a temporary credential of that access key ID has expired. It is remembered for some hours only.
    pub fn has_expired(&self, access_key_id: &str, now: Timestamp) -> bool {
        self.temporary_credentials.get(access_key_id).is_some_and(|it| it.expiration <= now)
    }

    /// Whether a boundary is the policy of a session, not a permissions boundary.
    pub(crate) fn is_session_policy(source: &PolicySource) -> bool {
        matches!(source, PolicySource::Boundary { arn } if arn == SESSION_POLICY)
    }

    /// Assumes a role. [`Account::decide`] decides before whether the caller may.
    pub(super) fn assume_role(
        &mut self,
        AssumeRole { caller, role_arn, role_session_name, duration, policy }: AssumeRole,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        if caller == Principal::Root {
            return Err(ApiRefusal::RootMayNotAssume);
        }
        let role = &self
            .role_of_arn(&role_arn)
            .ok_or_else(|| ApiRefusal::NoSuchEntity(Missing::Role(role_arn.clone())))?
            .role;
        if matches!(caller, Principal::AssumedRole { .. }) && duration > CHAINED_SESSION {
            return Err(ApiRefusal::SessionTooLong(DurationFault::RoleChaining));
        }
        if duration > role.max_session_duration {
            return Err(ApiRefusal::SessionTooLong(DurationFault::MaxSessionDuration));
        }
        let policy = policy.map(session_policy).transpose()?;
        let (role_id, role) = (role.role_id.clone(), role.role_name.clone());
        let access_key_id = self.new_session_id(now, rng)?;
        let assumed_role_id = format!("{role_id}:{role_session_name}");
        let principal = Principal::AssumedRole {
            role,
            session: role_session_name,
            access_key_id: access_key_id.clone(),
        };
        let arn = self.principal_arn(&principal);
        let credentials = self.begin_session(access_key_id, principal, duration, policy, now, rng);
        Ok(Answer::AssumedRole { credentials, assumed_role_id, arn })
    }

    /// Issues a session token. The root user gets one hour at most, even if it asks for more.
    /// Source: STS API Reference, `GetSessionToken`, `DurationSeconds`.
    pub(super) fn get_session_token(
        &mut self,
        caller: Principal,
        duration: SignedDuration,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let duration = match caller {
            Principal::Root => duration.min(CHAINED_SESSION),
            Principal::User(_) => duration,
            Principal::AssumedRole { .. } => {
                return Err(ApiRefusal::SessionCredentials("GetSessionToken".into()));
            }
        };
        let access_key_id = self.new_session_id(now, rng)?;
        let credentials = self.begin_session(access_key_id, caller, duration, None, now, rng);
        Ok(Answer::SessionToken(credentials))
    }

    /// Ends the sessions of the principals that match `of`.
    pub(super) fn end_sessions(&mut self, of: impl Fn(&Principal) -> bool) {
        self.forget_sessions(|session| of(&session.principal));
    }

    /// Moves the sessions of a user to its new name.
    pub(super) fn rename_sessions(&mut self, old: &str, new: &str) {
        let principal = Principal::User(old.to_owned());
        let sessions = self.temporary_credentials.iter();
        let ids: Vec<String> = sessions
            .filter(|(_, session)| session.principal == principal)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            if let Some(session) = self.temporary_credentials.get_mut(&id) {
                session.principal = Principal::User(new.to_owned());
            }
        }
    }

    /// Creates the access key ID of a session, if there is room.
    fn new_session_id(&mut self, now: Timestamp, rng: &mut dyn Rng) -> Result<String, ApiRefusal> {
        self.forget_sessions(|session| now.duration_since(session.expiration) > REMEMBERED);
        if self.temporary_credentials.len() >= SESSIONS {
            return Err(ApiRefusal::Throttling);
        }
        Ok(identifiers::access_key_id("ASIA", &self.id, rng))
    }

    fn begin_session(
        &mut self,
        access_key_id: String,
        principal: Principal,
        duration: SignedDuration,
        policy: Option<Document>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Credentials {
        let mut token = [0; 192];
        rng.fill_bytes(&mut token);
        let session = TemporaryCredential {
            principal,
            secret: identifiers::secret_access_key(rng),
            session_token: Secret::new(BASE64_STANDARD.encode(token)),
            issue_time: now,
            expiration: now + duration,
            policy,
        };
        let credentials = Credentials {
            access_key_id: access_key_id.clone(),
            secret_access_key: Secret::new(session.secret.expose().to_owned()),
            session_token: session.session_token.clone(),
            expiration: session.expiration,
        };
        self.temporary_credentials.insert(access_key_id, session);
        credentials
    }

    fn forget_sessions(&mut self, of: impl Fn(&TemporaryCredential) -> bool) {
        let ids: Vec<String> = self
            .temporary_credentials
            .iter()
            .filter(|(_, session)| of(session))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.temporary_credentials.remove(&id);
        }
    }
}

fn session_policy(text: String) -> Result<Document, ApiRefusal> {
    if counted_size(&text) > SESSION_POLICY_SIZE {
        return Err(ApiRefusal::PackedPolicyTooLarge);
    }
    Document::parse(text, PolicySource::Boundary { arn: SESSION_POLICY.to_owned() })
}

/// The text in place of an ARN in the source of a session policy.
const SESSION_POLICY: &str = "session policy";

/// Source: STS API Reference, `AssumeRole`: "if you use role chaining […] maximum of one hour".
const CHAINED_SESSION: SignedDuration = SignedDuration::from_hours(1);

/// The most characters of a session policy. Source: STS API Reference, `AssumeRole`, `Policy`.
const SESSION_POLICY_SIZE: usize = 2048;

/// The time for which a token is remembered after it has expired.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(36);

/// The most sessions: as many as fit into the memory of a small machine.
const SESSIONS: usize = 10_000;
