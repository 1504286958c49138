//! The operations on access keys, and on credentials of single services.

use super::*;
use crate::{account::Status, refusal::Constraint};

pub(super) const OPERATIONS: &[Operation] = &[
    op("CreateAccessKey", "UserName", Resource::User, |m, caller| {
        Ok(Action::CreateAccessKey { principal: m.user_or(caller)? })
    }),
    op("CreateServiceSpecificCredential", "UserName* ServiceName*", Resource::User, |m, _| {
        Ok(Action::CreateServiceSpecificCredential {
            user_name: m.user_name()?,
            service_name: m.required("ServiceName", &SERVICE_NAME)?,
        })
    }),
    op("DeleteAccessKey", "UserName AccessKeyId*", Resource::User, |m, caller| {
        Ok(Action::DeleteAccessKey {
            principal: m.user_or(caller)?,
            access_key_id: access_key_id(m)?,
        })
    }),
    op(
        "DeleteServiceSpecificCredential",
        "UserName ServiceSpecificCredentialId*",
        Resource::User,
        |m, caller| {
            Ok(Action::DeleteServiceSpecificCredential {
                user_name: m.user_name_or(caller)?,
                service_specific_credential_id: credential_id(m)?,
            })
        },
    ),
    op("GetAccessKeyLastUsed", "AccessKeyId*", Resource::OwnerOfAccessKey, |m, _| {
        Ok(Action::GetAccessKeyLastUsed { access_key_id: access_key_id(m)? })
    }),
    op("ListAccessKeys", "UserName Marker MaxItems", Resource::User, |m, caller| {
        Ok(Action::ListAccessKeys { principal: m.user_or(caller)?, page: m.page()? })
    }),
    op(
        "ListServiceSpecificCredentials",
        "UserName ServiceName Marker MaxItems",
        Resource::User,
        |m, caller| {
            let (service_name, page) = (m.optional("ServiceName", &SERVICE_NAME)?, m.page()?);
            Ok(match m.user_or(caller)? {
                Principal::User(user_name) => {
                    Action::ListServiceSpecificCredentials { user_name, service_name, page }
                }
                Principal::Root | Principal::AssumedRole { .. } => {
                    Action::ListNone { holder: None, list: "ServiceSpecificCredentials" }
                }
            })
        },
    ),
    op(
        "ResetServiceSpecificCredential",
        "UserName ServiceSpecificCredentialId*",
        Resource::User,
        |m, caller| {
            Ok(Action::ResetServiceSpecificCredential {
                user_name: m.user_name_or(caller)?,
                service_specific_credential_id: credential_id(m)?,
            })
        },
    ),
    op("UpdateAccessKey", "UserName AccessKeyId* Status*", Resource::User, |m, caller| {
        let status = m.one_of("Status", status)?;
        Ok(Action::UpdateAccessKey {
            principal: m.user_or(caller)?,
            access_key_id: access_key_id(m)?,
            status: status.ok_or_else(|| invalid("Status", Constraint::Required))?,
        })
    }),
    op(
        "UpdateServiceSpecificCredential",
        "UserName ServiceSpecificCredentialId* Status*",
        Resource::User,
        |m, caller| {
            let status = m.one_of("Status", status)?;
            Ok(Action::UpdateServiceSpecificCredential {
                service_specific_credential_id: credential_id(m)?,
                status: status.ok_or_else(|| invalid("Status", Constraint::Required))?,
                user_name: m.user_name_or(caller)?,
            })
        },
    ),
];

fn credential_id(m: &Members) -> Result<String, ApiRefusal> {
    m.required("ServiceSpecificCredentialId", &CREDENTIAL_ID)
}

fn access_key_id(m: &Members) -> Result<String, ApiRefusal> {
    m.required("AccessKeyId", &ACCESS_KEY_ID)
}

fn status(word: &str) -> Option<Status> {
    [Status::Active, Status::Inactive].into_iter().find(|status| status.as_str() == word)
}
