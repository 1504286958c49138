//! Logins to the SMTP endpoint, and the reasons why they are refused.

use seskey::{
    Region, Secret, SecretAccessKey, SmtpPassword,
    diagnose::{Evidence, Finding, Key, Values, diagnose},
};

use super::LocalSes;
use crate::{
    account::Status,
    lock::lock,
    sending::{Login, LoginRefused},
};

impl LocalSes {
    /// Checks SMTP credentials for a region. A wrong user name costs the same work as a wrong password. The reason for
    /// a refusal is only for the log.
    pub(crate) fn log_in(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
    ) -> Result<Login, LoginRefused> {
        let login = self.check_login(user_name, password, region);
        self.metrics.login(login.as_ref().err().copied());
        login
    }

    fn check_login(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
    ) -> Result<Login, LoginRefused> {
        let key = self
            .state
            .account()
            .seen_access_key(user_name, self.state.clock().now(), || lock(&self.faults).coin())
            .cloned();
        let secret = key.as_ref().map_or(&self.nobody, |key| key.secret());
        // every return comes after all of the work
        let right = is_password_of(secret, password, region, self.accept_v2);
        let key = key.ok_or(LoginRefused::UnknownKey)?;
        if key.status() != Status::Active {
            return Err(LoginRefused::InactiveKey);
        }
        if !right {
            return Err(LoginRefused::WrongPassword);
        }
        let now = self.state.clock().now();
        // the login does not wait for the commit
        let _ = self
            .state
            .act(|account| account.record_use(user_name, "ses-smtp", region.as_str(), now));
        Ok(Login { access_key_id: user_name.to_owned(), principal: key.owner().clone() })
    }

    /// Returns the reason why a login was refused, by the table of causes. It hides nothing, and is only for the log.
    pub(crate) fn why_refused(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
        refused: LoginRefused,
    ) -> Option<Finding> {
        let (key, is_user) = {
            let account = self.state.account();
            let key =
                account.seen_access_key(user_name, self.state.clock().now(), || false).cloned();
            (key, account.has_user(user_name))
        };
        let evidence = Evidence::of(Values {
            user_name: Some(user_name),
            password: Some(password.expose()),
            secret: key.as_ref().map(|key| key.secret()),
            region: Some(region),
            ..Values::default()
        });
        let evidence = Evidence {
            logged_in: Some(false),
            is_iam_user: Some(is_user),
            key: Some(match refused {
                LoginRefused::UnknownKey => Key::Unknown,
                LoginRefused::InactiveKey => Key::Inactive,
                LoginRefused::WrongPassword => Key::Active,
            }),
            ..evidence
        };
        diagnose(&evidence).findings.into_iter().next()
    }
}

/// Derives both passwords and compares with both, whatever the first comparison gives.
fn is_password_of(
    secret: &SecretAccessKey,
    password: &Secret,
    region: &Region,
    accept_v2: bool,
) -> bool {
    let is = |right: SmtpPassword| Secret::new(right.expose().to_owned()) == *password;
    is(SmtpPassword::derive(secret, region)) | (is(SmtpPassword::derive_v2(secret)) & accept_v2)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use rand::rngs::StdRng;

    use super::*;
    use crate::{
        account::{Action, Answer, Principal},
        journal::{Seed, Snapshot},
        sending::Settings,
        service::{DeliveryPolicy, Outbox, Setup},
        tls::Authority,
    };

    /// A password that is derived from temporary credentials is refused.
    /// Source: Developer Guide, "Obtaining Amazon SES SMTP credentials".
    #[test]
    fn a_temporary_access_key_logs_nobody_in() {
        let mut rng: StdRng = rand::make_rng();
        let authority = Authority::new().expect("certificates");
        let seed = Seed { account_id: None, region: None, root: None, authority };
        let (kept, root) = Snapshot::new(seed, &mut rng);
        let region = kept.region.clone();
        let outbox =
            Outbox::new(String::new(), kept.authority.clone(), DeliveryPolicy::default(), None);
        let setup = Setup {
            root: root.1.clone(),
            region: region.clone(),
            sending: Settings::default(),
            accept_v2: false,
            outbox,
        };
        let ses = LocalSes::new(kept, setup, rng, None);
        let action = Action::GetSessionToken {
            caller: Principal::Root,
            duration: SignedDuration::from_hours(1),
        };
        let Ok(Answer::SessionToken(credentials)) = ses.apply(action) else {
            panic!("the root user may have a session")
        };
        let log_in = |user_name: &str, secret: &SecretAccessKey| {
            let password = SmtpPassword::derive(secret, &region);
            ses.log_in(user_name, &Secret::new(password.expose().to_owned()), &region)
        };
        let secret = SecretAccessKey::parse(credentials.secret_access_key.expose());
        let secret = secret.expect("a secret of the account");
        assert_eq!(log_in(&credentials.access_key_id, &secret), Err(LoginRefused::UnknownKey));
        assert!(log_in(root.0.as_str(), &root.1).is_ok());
    }
}
