//! The credentials of a user beside access keys: a password for the console, and credentials of single services. The
//! passwords themselves are not stored, as nothing here accepts them.

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::Secret;

use super::{Account, Answer, Page, Status, identifiers};
use crate::refusal::{ApiRefusal, Missing};

/// A password for the console, without the password. Source: IAM API Reference, `LoginProfile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct LoginProfile {
    pub create_date: Timestamp,
    pub password_reset_required: bool,
}

/// A credential for one service, without its password. The SMTP endpoint does not accept it.
/// Source: IAM API Reference, `ServiceSpecificCredentialMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct ServiceSpecificCredential {
    pub user_name: String,
    pub service_name: String,
    pub service_user_name: String,
    pub service_specific_credential_id: String,
    pub status: Status,
    pub create_date: Timestamp,
}

/// Source: IAM User Guide, "IAM with CodeCommit": "two sets of service-specific credentials" for each service.
const CREDENTIALS_PER_SERVICE: usize = 2;

/// Source: IAM User Guide, "Service-specific credentials for IAM users".
const SERVICES: [&str; 2] = ["cassandra.amazonaws.com", "codecommit.amazonaws.com"];

impl Account {
    pub(super) fn create_login_profile(
        &mut self,
        user_name: &str,
        password: &Secret,
        password_reset_required: bool,
        now: Timestamp,
    ) -> Result<Answer, ApiRefusal> {
        let entry = self.user_entry(user_name)?;
        let user_name = entry.user.user_name.clone();
        if entry.login_profile.is_some() {
            return Err(ApiRefusal::LoginProfileAlreadyExists(user_name));
        }
        if !conforms(password.expose()) {
            return Err(ApiRefusal::PasswordPolicyViolation);
        }
        let login_profile = LoginProfile { create_date: now, password_reset_required };
        self.user_entry_mut(&user_name)?.login_profile = Some(login_profile.clone());
        Ok(Answer::LoginProfile { user_name, login_profile })
    }

    pub(super) fn get_login_profile(&self, user_name: &str) -> Result<Answer, ApiRefusal> {
        let entry = self.user_entry(user_name)?;
        let user_name = entry.user.user_name.clone();
        match entry.login_profile.clone() {
            Some(login_profile) => Ok(Answer::LoginProfile { user_name, login_profile }),
            None => Err(ApiRefusal::NoSuchEntity(Missing::LoginProfile(user_name))),
        }
    }

    pub(super) fn delete_login_profile(&mut self, user_name: &str) -> Result<Answer, ApiRefusal> {
        match self.user_entry_mut(user_name)?.login_profile.take() {
            Some(_) => Ok(Answer::Done),
            None => Err(ApiRefusal::NoSuchEntity(Missing::LoginProfile(user_name.to_owned()))),
        }
    }

    pub(super) fn create_service_specific_credential(
        &mut self,
        user_name: &str,
        service_name: String,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let account = self.id.clone();
        let entry = self.user_entry_mut(user_name)?;
        of_service(&service_name)?;
        let there =
            entry.service_specific_credentials.iter().filter(|it| it.service_name == service_name);
        let user_name = entry.user.user_name.clone();
        let service_user_name = match there.count() {
            0 => format!("{user_name}-at-{account}"),
            n @ 1..CREDENTIALS_PER_SERVICE => format!("{user_name}+{n}-at-{account}"),
            limit => {
                let quota = "ServiceSpecificCredentialsPerUser";
                return Err(ApiRefusal::LimitExceeded { quota, limit });
            }
        };
        let credential = ServiceSpecificCredential {
            service_user_name,
            user_name,
            service_name,
            service_specific_credential_id: identifiers::unique_id("ACCA", rng),
            status: Status::Active,
            create_date: now,
        };
        entry.service_specific_credentials.push(credential.clone());
        Ok(Answer::NewServiceSpecificCredential { credential, service_password: password(rng) })
    }

    pub(super) fn list_service_specific_credentials(
        &self,
        user_name: &str,
        service_name: Option<&str>,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let mut credentials: Vec<_> =
            self.user_entry(user_name)?.service_specific_credentials.iter().collect();
        service_name.map_or(Ok(()), of_service)?;
        credentials.retain(|it| service_name.is_none_or(|service| it.service_name == service));
        credentials.sort_by_key(|it| &it.service_specific_credential_id);
        let listed =
            credentials.into_iter().map(|it| (&it.service_specific_credential_id, it.clone()));
        Ok(Answer::ServiceSpecificCredentials(page.of(listed)?))
    }

    pub(super) fn update_service_specific_credential(
        &mut self,
        user_name: &str,
        id: String,
        status: Status,
    ) -> Result<Answer, ApiRefusal> {
        self.credential_mut(user_name, id)?.status = status;
        Ok(Answer::Done)
    }

    pub(super) fn reset_service_specific_credential(
        &mut self,
        user_name: &str,
        id: String,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let credential = self.credential_mut(user_name, id)?.clone();
        Ok(Answer::NewServiceSpecificCredential { credential, service_password: password(rng) })
    }

    pub(super) fn delete_service_specific_credential(
        &mut self,
        user_name: &str,
        id: String,
    ) -> Result<Answer, ApiRefusal> {
        let id = self.credential_mut(user_name, id)?.service_specific_credential_id.clone();
        let credentials = &mut self.user_entry_mut(user_name)?.service_specific_credentials;
        credentials.retain(|it| it.service_specific_credential_id != id);
        Ok(Answer::Done)
    }

    /// Returns the refusal for a password policy: no account has one of its own here.
    pub(super) fn no_password_policy(&self) -> ApiRefusal {
        ApiRefusal::NoSuchEntity(Missing::PasswordPolicy { account: self.id.to_string() })
    }

    fn credential_mut(
        &mut self,
        user_name: &str,
        id: String,
    ) -> Result<&mut ServiceSpecificCredential, ApiRefusal> {
        let credentials = &mut self.user_entry_mut(user_name)?.service_specific_credentials;
        let found = credentials.iter_mut().find(|it| it.service_specific_credential_id == id);
        found.ok_or(ApiRefusal::NoSuchEntity(Missing::ServiceSpecificCredential(id)))
    }
}

fn of_service(service_name: &str) -> Result<(), ApiRefusal> {
    let missing = || ApiRefusal::NoSuchEntity(Missing::Service(service_name.to_owned()));
    SERVICES.contains(&service_name).then_some(()).ok_or_else(missing)
}

fn password(rng: &mut dyn Rng) -> Secret {
    Secret::new(identifiers::secret_access_key(rng).expose().to_owned())
}

/// Whether a password conforms to the policy of an account that has set none.
/// Source: IAM User Guide, "Set an account password policy for IAM users", default policy.
fn conforms(password: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_ascii_alphanumeric(),
    ];
    password.chars().count() >= 8
        && kinds.iter().filter(|kind| password.chars().any(**kind)).count() >= 3
}
