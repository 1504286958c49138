//! The creation of a credential, as in the SES console. Source: SES Developer Guide, "Obtaining Amazon SES SMTP
//! credentials".
//!
//! All checks come first. Then come the group, the policy, the user and, as the last thing that IAM makes, the key: no
//! key exists without its policy. What was made is undone when a later step fails or is interrupted.

use seskey::{
    AccessKeyId, Region, SecretAccessKey, SmtpCredential, SmtpPassword,
    rotation::{Denial, Sending},
    user::{SENDING_GROUP, SENDING_POLICY, UserName, UserPath},
};

use super::{
    Interrupt,
    change::{Change, Stopped, settled},
    preflight::preflight,
    prove::{Login, NotProven, Proof, Proven, prove},
    undo::{LeftOver, Made, Thing, undo},
};
use crate::{
    Account, Cause, Error,
    iam::{Caller, NewAccessKey, Simulated},
    sender::sending,
};

/// The credential that is to be made.
#[derive(Clone)]
pub struct CreateRequest {
    /// The name of the user.
    pub user_name: UserName,
    /// Its path.
    pub path: UserPath,
    /// Its tags, in order: [`seskey::user::REGION_TAG`] belongs among them.
    pub tags: Vec<(String, String)>,
    /// The ARN of a policy that limits the permissions that the user can ever get.
    pub permissions_boundary: Option<String>,
    /// The way the user gets its permission to send.
    pub style: Style,
    /// The region that the password is for.
    pub region: Region,
    /// The proof of the credential; none if absent.
    pub proof: Option<Proof>,
}

/// The way a user gets its permission to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// By membership in [`SENDING_GROUP`], as the console does since 6 September 2024.
    Group,
    /// By a policy of its own, as the console did before.
    Inline {
        /// The policy document, JSON.
        policy: String,
    },
}

/// The result of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The credential.
    pub credential: SmtpCredential,
    /// The ARN of the user.
    pub user_arn: String,
    /// Everything that was made, in order, for [`undo`] if the credential does not reach anybody.
    pub made: Vec<Made>,
    /// The proof, if one was requested.
    pub proven: Option<Proven>,
}

/// A credential that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct CreateError {
    /// The reason.
    pub failure: CreateFailure,
    /// The things that were made and could not be undone. If empty, the account is as before.
    pub left: Vec<LeftOver>,
}

/// The reason why a credential was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateFailure {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// A user with this name exists. Seen before anything was changed.
    #[error("the user exists: {arn}")]
    UserExists {
        /// Its ARN.
        arn: String,
    },
    /// The caller lacks a needed permission. Seen before anything was changed.
    #[error("the caller lacks a permission that is needed")]
    NotPermitted {
        /// The denied actions.
        denied: Vec<Simulated>,
    },
    /// The sending group has policies, and none allows sending.
    #[error("no policy of the group {group} allows sending")]
    GroupCannotSend {
        /// The group.
        group: String,
        /// The names of its policies.
        policies: Vec<String>,
    },
    /// Something denies sending to the new user.
    #[error("the user may not send")]
    MayNotSend(Denial),
    /// IAM made an access key that cannot be an SMTP credential.
    #[error("the access key {id} cannot be an SMTP credential")]
    UnusableKey {
        /// Its ID.
        id: String,
    },
    /// The credential does not log in.
    #[error(transparent)]
    NotProven(#[from] Box<NotProven>),
    /// The change was interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl CreateError {
    /// Whether the user exists, even if it was made by somebody else a moment ago.
    pub fn user_exists(&self) -> bool {
        match &self.failure {
            CreateFailure::UserExists { .. } => true,
            CreateFailure::Call(Error {
                action, cause: Cause::EntityAlreadyExists { .. }, ..
            }) => *action == "iam:CreateUser",
            _ => false,
        }
    }
}

/// An event of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The caller that makes the change.
    Caller(Caller),
    /// A check was not possible: the caller may not make it, or no policy binds the caller.
    Unchecked {
        /// The check.
        check: Check,
        /// The refusal, if there was one.
        why: Option<Error>,
    },
    /// Something was made.
    Made(Thing),
    /// A login of the proof.
    Login(Login),
    /// Something was undone.
    TakenBack(Thing),
    /// Something that was made stays, since somebody else has begun to use it.
    Kept(Thing),
}

/// A check before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Whether the user exists.
    User,
    /// Whether the sending group exists.
    Group,
    /// Whether the policies of the sending group allow sending.
    GroupPolicy,
    /// Whether the caller has the needed permissions.
    Permissions,
    /// Whether the user may send.
    Sending,
}

/// Makes the user, its permission, its key and the password, and proves them. The future must be driven to its end, or
/// what it made is not undone: to stop it, raise the interrupt.
///
/// # Errors
/// The reason why it was not made, and the things that could not be undone.
#[tracing::instrument(level = "debug", skip_all, fields(user = %request.user_name, region = %request.region))]
pub async fn create(
    account: &Account,
    request: &CreateRequest,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Created, CreateError> {
    let mut change = Change::begin(account, interrupt, on_event);
    match make_all(&mut change, request).await {
        Ok((credential, user_arn, proven)) => {
            Ok(Created { credential, user_arn, made: change.made, proven })
        }
        Err(failure) => {
            let left = undo(account, &change.made, change.on_event).await;
            Err(CreateError { failure, left })
        }
    }
}

/// Makes the checks that [`create`] and [`create_user`] make before they make anything. Changes nothing.
///
/// # Errors
/// The reason.
pub async fn look(
    account: &Account,
    request: &CreateRequest,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<(), CreateError> {
    let looked = preflight(account, request, on_event).await;
    looked.map(drop).map_err(|failure| CreateError { failure, left: vec![] })
}

/// Makes the user and its permission, and no key: a rotation makes one where it delivers it. Returns what was made, in
/// order.
///
/// # Errors
/// The reason why it was not made, and the things that could not be undone.
#[tracing::instrument(level = "debug", skip_all, fields(user = %request.user_name))]
pub async fn create_user(
    account: &Account,
    request: &CreateRequest,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<Made>, CreateError> {
    let mut change = Change::begin(account, interrupt, on_event);
    match make_sender(&mut change, request).await {
        Ok(_) => Ok(change.made),
        Err(failure) => {
            let left = undo(account, &change.made, change.on_event).await;
            Err(CreateError { failure, left })
        }
    }
}

/// Makes a user that may send and has no key yet; returns its ARN.
async fn make_sender(
    change: &mut Change<'_>,
    request: &CreateRequest,
) -> Result<String, CreateFailure> {
    let group = preflight(change.account, request, change.on_event).await?;
    if request.style == Style::Group {
        change.ready_group(group).await?;
    }
    Ok(make_user(change, request).await?)
}

async fn make_all(
    change: &mut Change<'_>,
    request: &CreateRequest,
) -> Result<(SmtpCredential, String, Option<Proven>), CreateFailure> {
    let user_arn = make_sender(change, request).await?;
    may_send(change.account, request).await?;
    let credential = make_key(change, request).await?;
    let Some(proof) = &request.proof else { return Ok((credential, user_arn, None)) };
    let on_event = &mut change.on_event;
    let on_login = &mut |login| on_event(Event::Login(login));
    let proven =
        prove(proof, &credential, &mut change.interrupt, on_login).await.map_err(Box::new)?;
    Ok((credential, user_arn, Some(proven.ok_or(CreateFailure::Interrupted)?)))
}

/// Checks that nothing denies the permission that was just given. The permission itself may not be visible yet.
async fn may_send(account: &Account, request: &CreateRequest) -> Result<(), CreateFailure> {
    match sending(account, request.user_name.as_str(), &request.region).await {
        Ok(Sending::Denied(denial)) if denial != Denial::NotAllowed => {
            Err(CreateFailure::MayNotSend(denial))
        }
        // a caller that may not ask, or asks too early, goes on
        _ => Ok(()),
    }
}

/// Makes the user and gives it its permission; returns its ARN.
async fn make_user(change: &mut Change<'_>, request: &CreateRequest) -> Result<String, Stopped> {
    let account = change.account;
    let CreateRequest { user_name, path, tags, permissions_boundary, style, .. } = request;
    let user = user_name.to_string();
    let created = account.create_user(user_name, path, tags, permissions_boundary.as_deref());
    let arn = change.make(|_| Thing::User { user: user.clone() }, created).await?.arn;
    match style {
        Style::Group => change.join_group(&user).await?,
        Style::Inline { policy } => {
            let put =
                settled(|| account.put_user_policy(user_name.as_str(), SENDING_POLICY, policy));
            change.make(|_| Thing::UserPolicy { user }, put).await?;
        }
    }
    Ok(arn)
}

async fn make_key(
    change: &mut Change<'_>,
    request: &CreateRequest,
) -> Result<SmtpCredential, CreateFailure> {
    let account = change.account;
    let user = request.user_name.to_string();
    let created = settled(|| account.create_access_key(request.user_name.as_str()));
    let thing = |key: Option<&NewAccessKey>| Thing::AccessKey {
        user: user.clone(),
        id: key.map(|key| key.id.clone()),
    };
    let key = change.make(thing, created).await?;
    let unusable = || CreateFailure::UnusableKey { id: key.id.clone() };
    let user_name = AccessKeyId::parse(&key.id).map_err(|_| unusable())?;
    let secret = SecretAccessKey::parse(key.secret.expose()).map_err(|_| unusable())?;
    Ok(SmtpCredential {
        iam_user: Some(user),
        user_name,
        password: SmtpPassword::derive(&secret, &request.region),
        endpoint: Some(request.region.smtp_endpoint()),
    })
}

impl From<Stopped> for CreateFailure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Call(error) => Self::Call(error),
            Stopped::GroupCannotSend { policies } => {
                Self::GroupCannotSend { group: SENDING_GROUP.to_owned(), policies }
            }
            Stopped::Interrupted => Self::Interrupted,
        }
    }
}
