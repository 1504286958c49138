//! The credentials that a user may have besides access keys. IAM does not delete a user that has any of them. Source:
//! IAM API, `DeleteUser`.

use crate::{Account, Error};

/// A credential that an SMTP user does not have: a person or a program signs in with it in another way than by SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// A password for the console.
    LoginProfile,
    /// An MFA device.
    MfaDevice {
        /// Its serial number; for a virtual device, its ARN.
        serial_number: String,
    },
    /// An SSH key for CodeCommit.
    SshPublicKey {
        /// Its ID.
        id: String,
    },
    /// A user name and a password for a service, such as CodeCommit.
    ServiceSpecificCredential {
        /// Its ID.
        id: String,
        /// The service.
        service: String,
    },
    /// A certificate that requests are signed with.
    SigningCertificate {
        /// Its ID.
        id: String,
    },
}

impl Account {
    /// Lists all such credentials of the user.
    pub(crate) async fn sign_ins(&self, user: &str) -> Result<Vec<SignIn>, Error> {
        let mut found = Vec::new();
        let profile = self.iam.get_login_profile().user_name(user).send().await;
        match profile.map_err(self.failed("iam:GetLoginProfile")) {
            Ok(_) => found.push(SignIn::LoginProfile),
            Err(error) if error.is_no_such_entity() => {}
            Err(error) => return Err(error),
        }
        let devices = self.iam.list_mfa_devices().user_name(user).into_paginator().items().send();
        let devices: Vec<_> =
            devices.try_collect().await.map_err(self.failed("iam:ListMFADevices"))?;
        found.extend(
            devices
                .into_iter()
                .map(|device| SignIn::MfaDevice { serial_number: device.serial_number }),
        );
        let keys = self.iam.list_ssh_public_keys().user_name(user).into_paginator().items().send();
        let keys: Vec<_> =
            keys.try_collect().await.map_err(self.failed("iam:ListSSHPublicKeys"))?;
        found
            .extend(keys.into_iter().map(|key| SignIn::SshPublicKey { id: key.ssh_public_key_id }));
        // there are at most two for each service, so one page has them all
        let credentials = self.iam.list_service_specific_credentials().user_name(user).send().await;
        let credentials = credentials.map_err(self.failed("iam:ListServiceSpecificCredentials"))?;
        found.extend(credentials.service_specific_credentials.into_iter().flatten().map(|it| {
            SignIn::ServiceSpecificCredential {
                id: it.service_specific_credential_id,
                service: it.service_name,
            }
        }));
        let certificates =
            self.iam.list_signing_certificates().user_name(user).into_paginator().items().send();
        let certificates: Vec<_> =
            certificates.try_collect().await.map_err(self.failed("iam:ListSigningCertificates"))?;
        found.extend(
            certificates
                .into_iter()
                .map(|certificate| SignIn::SigningCertificate { id: certificate.certificate_id }),
        );
        Ok(found)
    }
}
