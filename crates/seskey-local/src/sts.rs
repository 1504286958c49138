//! The STS Query API, version 2011-06-15: who am I, and whose key is that.
//!
//! Source: AWS STS API Reference, `GetCallerIdentity` and `GetAccessKeyInfo`.

use crate::{
    account::{Account, AccountId, Principal},
    iam::Members,
    refusal::Refusal,
    xml::{self, Xml},
};

/// The namespace of every answer.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The one version of the API.
pub const VERSION: &str = "2011-06-15";

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Who signed this request? Nobody can be denied the answer.
    GetCallerIdentity,
    /// To which account does this access key belong?
    GetAccessKeyInfo {
        /// It is read off the ID; the key need not exist.
        account: AccountId,
    },
}

impl Question {
    /// The operations that are served.
    pub const OPERATIONS: [&'static str; 2] = ["GetCallerIdentity", "GetAccessKeyInfo"];

    /// The question that the parameters ask; `None` for an operation that is not served.
    ///
    /// # Errors
    /// `ValidationError` where a parameter is missing or malformed.
    pub fn parse(operation: &str, members: &Members) -> Option<Result<Self, Refusal>> {
        match operation {
            "GetCallerIdentity" => Some(Ok(Self::GetCallerIdentity)),
            "GetAccessKeyInfo" => {
                Some(members.access_key_account().map(|account| Self::GetAccessKeyInfo { account }))
            }
            _ => None,
        }
    }

    /// The permission that it takes, if any.
    pub fn permission(&self) -> Option<&'static str> {
        match self {
            Self::GetCallerIdentity => None,
            Self::GetAccessKeyInfo { .. } => Some("sts:GetAccessKeyInfo"),
        }
    }

    /// The document of the answer.
    pub fn answer(&self, account: &Account, caller: &Principal, request_id: &str) -> String {
        match self {
            Self::GetCallerIdentity => document("GetCallerIdentity", request_id, |xml| {
                let user = match caller {
                    Principal::Root => None,
                    Principal::User(name) => account.user(name),
                };
                xml.text("Arn", &account.principal_arn(caller));
                xml.text(
                    "UserId",
                    user.map_or_else(|| account.id().as_str(), |user| &user.user_id),
                );
                xml.text("Account", account.id().as_str());
            }),
            Self::GetAccessKeyInfo { account } => document("GetAccessKeyInfo", request_id, |xml| {
                xml.text("Account", account.as_str())
            }),
        }
    }
}

fn document(operation: &str, request_id: &str, result: impl FnOnce(&mut Xml)) -> String {
    xml::document(&format!("{operation}Response"), NAMESPACE, |xml| {
        xml.element(&format!("{operation}Result"), result);
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    })
}
