//! The STS Query API, version 2011-06-15: the identity of the caller, the account of a key, and temporary credentials.
//!
//! Source: AWS STS API Reference.

use jiff::SignedDuration;

use super::{
    Service,
    operation::{AccountApi, Operation, Resource, op},
    query::{Members, Query, shapes::*},
};
use crate::{
    account::{Action, AssumeRole},
    refusal::ApiRefusal,
};

/// The API. The permission for each operation is `sts:` and its name.
pub const API: AccountApi = AccountApi {
    service: Service::Sts,
    query: Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/", version: "2011-06-15" },
    operations: &[OPERATIONS],
};

/// The operations. No caller can be denied `GetCallerIdentity` or `GetSessionToken`.
const OPERATIONS: &[Operation] = &[
    op(
        "AssumeRole",
        "RoleArn* RoleSessionName* Policy DurationSeconds ExternalId",
        Resource::AssumedRole,
        |m, caller| {
            m.optional("ExternalId", &EXTERNAL_ID)?;
            let duration = m.seconds("DurationSeconds", 900, 43_200)?;
            Ok(Action::AssumeRole(AssumeRole {
                caller: caller.clone(),
                role_arn: role_arn(m)?,
                role_session_name: m.required("RoleSessionName", &ROLE_SESSION_NAME)?,
                duration: duration.unwrap_or(SignedDuration::from_hours(1)),
                policy: m.optional("Policy", &POLICY_DOCUMENT)?,
            }))
        },
    ),
    op("GetAccessKeyInfo", "AccessKeyId*", Resource::None, |m, _| {
        Ok(Action::GetAccessKeyInfo { account: m.access_key_account()? })
    }),
    op("GetCallerIdentity", "", Resource::Free, |_, caller| {
        Ok(Action::GetCallerIdentity { caller: caller.clone() })
    }),
    op("GetSessionToken", "DurationSeconds", Resource::Free, |m, caller| {
        let duration = m.seconds("DurationSeconds", 900, 129_600)?;
        let duration = duration.unwrap_or(SignedDuration::from_hours(12));
        Ok(Action::GetSessionToken { caller: caller.clone(), duration })
    }),
];

/// Reads an ARN of any partition and service: authorization tells whether there is such a role.
fn role_arn(m: &Members) -> Result<String, ApiRefusal> {
    let arn = m.required("RoleArn", &ARN)?;
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", partition, service, _, _, name]
            if ![partition, service, name].iter().any(|field| field.is_empty()) =>
        {
            Ok(arn)
        }
        _ => Err(ApiRefusal::InvalidRoleArn(arn)),
    }
}
