//! The condition keys of a request and of its principal.

use std::{borrow::Borrow, cell::LazyCell, net::IpAddr};

use jiff::Timestamp;
use seskey::policy::Context;

use super::{Account, Principal, Tag};

/// The circumstances of a request, apart from its principal.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// The ID of the access key that it is made with.
    pub access_key_id: &'a str,
    /// The address of the client.
    pub peer: IpAddr,
    /// Whether it comes over TLS.
    pub secure_transport: bool,
    /// The user agent of the client; SMTP clients have none.
    pub user_agent: Option<&'a str>,
    /// The time of the request.
    pub now: Timestamp,
}

/// A context that is computed when a policy first needs it.
pub(crate) struct OnDemand<F>(LazyCell<Context, F>);

impl<F: FnOnce() -> Context> OnDemand<F> {
    pub(crate) fn new(make: F) -> Self {
        Self(LazyCell::new(make))
    }
}

impl<F: FnOnce() -> Context> Borrow<Context> for OnDemand<F> {
    fn borrow(&self) -> &Context {
        &self.0
    }
}

impl Account {
    /// Returns the global condition keys of a request.
    /// Source: IAM User Guide, "AWS global condition context keys".
    pub fn request_context(
        &self,
        principal: &Principal,
        circumstances: &RequestContext<'_>,
    ) -> Context {
        let RequestContext { access_key_id, peer, secure_transport, user_agent, now } =
            circumstances;
        let session = self.temporary_credential(access_key_id, *now);
        // cut to the length that is recorded: the account waits while a policy is matched against it
        let user_agent = user_agent.map(|it| it.chars().take(1024).collect::<String>());
        self.principal_context(principal)
            .with("aws:SourceIp", [peer.to_string()])
            .with("aws:SecureTransport", [secure_transport.to_string()])
            .with("aws:CurrentTime", [now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()])
            .with("aws:EpochTime", [now.as_second().to_string()])
            .with("aws:UserAgent", user_agent)
            .with("aws:TokenIssueTime", session.map(|session| session.issue_time().to_string()))
            .with("aws:MultiFactorAuthPresent", session.map(|_| "false"))
    }

    /// Returns the condition keys of a principal.
    /// Source: IAM User Guide, "AWS global condition context keys", properties of the principal.
    pub fn principal_context(&self, principal: &Principal) -> Context {
        let mut context = Context::new().with("aws:PrincipalAccount", [self.id().as_str()]);
        let mut is = |kind: &str, arn: &str, id: &str, tags: &[Tag]| {
            context.insert("aws:PrincipalType", [kind]);
            context.insert("aws:PrincipalArn", [arn]);
            context.insert("aws:userid", [id]);
            for tag in tags {
                context.insert(&format!("aws:PrincipalTag/{}", tag.key), [tag.value.as_str()]);
            }
        };
        match principal {
            Principal::Root => is("Account", &self.arn("root"), self.id().as_str(), &[]),
            Principal::User(name) => {
                if let Some(user) = self.user(name) {
                    is("User", &user.arn, &user.user_id, &user.tags);
                }
                context.insert("aws:username", [name.as_str()]);
            }
            Principal::AssumedRole { role, session, .. } => {
                if let Ok(entry) = self.role_entry(role) {
                    let role = &entry.role;
                    // "the request context returns the ARN of the role, not the ARN of the user that assumed the role"
                    is(
                        "AssumedRole",
                        &role.arn,
                        &format!("{}:{session}", role.role_id),
                        &role.tags,
                    );
                }
            }
        }
        context
    }

    /// Returns the unique ID of a principal, as in `GetCallerIdentity`; `None` if it does not exist.
    pub(super) fn principal_id(&self, principal: &Principal) -> Option<String> {
        match principal {
            Principal::Root => Some(self.id().to_string()),
            Principal::User(name) => self.user(name).map(|user| user.user_id.clone()),
            Principal::AssumedRole { role, session, .. } => {
                Some(format!("{}:{session}", self.role_entry(role).ok()?.role.role_id))
            }
        }
    }
}
