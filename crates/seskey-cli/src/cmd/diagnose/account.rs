//! The evidence of the account: IAM on the key and its user, SES on the message.

use std::result::Result;

use seskey::{
    AccessKeyId,
    diagnose::{Evidence, Key, UserName, diagnose},
};
use seskey_aws::{
    Account, Cause, Error,
    sender::{Envelope, is_user, learn_of_key, permission, permission_at_all},
    ses::learn_of_sending,
    smtp::Address,
};

use super::typed::Typed;
use crate::{
    args::{Diagnose, Global},
    connect::aws,
    explain,
    output::Output,
};

/// Asks IAM, then SES if no cause is certain and the access key belongs to the account that answers.
pub(super) async fn ask_account(
    args: &Diagnose,
    global: &Global,
    typed: &Typed,
    evidence: &mut Evidence,
    asked: &mut Vec<&'static str>,
    output: &Output,
) {
    let user_name = evidence.user_name_text.as_deref();
    let id = user_name.and_then(|text| AccessKeyId::parse(text).ok());
    let name = typed.iam_user_name().filter(|_| evidence.user_name == Some(UserName::Other));
    if id.is_none() && name.is_none() {
        return;
    }
    let account = aws::account(global, evidence.region.as_ref()).await;
    let answered = match (&id, name) {
        (Some(id), _) => ask_of_key(&account, id, evidence).await,
        (None, Some(name)) => ask_of_name(&account, name, evidence).await,
        (None, None) => return,
    };
    match answered {
        Ok(true) => asked.push("IAM"),
        Ok(false) if id.is_some() => {
            output.advice("IAM would be asked about the access key if the caller were permitted iam:GetAccessKeyLastUsed");
        }
        Ok(false) => {}
        Err(Error { cause: Cause::NoCredentials { .. }, .. }) => {
            output.advice("with AWS credentials, IAM would be asked about the access key too");
        }
        Err(error) => {
            output.warn(&format!("IAM was not asked: {}", explain::aws::failure(&error).message))
        }
    }
    let is_of_account = id.is_some() && evidence.iam_user.is_some();
    let Some(region) = evidence.region.clone().filter(|_| is_of_account) else { return };
    if diagnose(evidence).is_certain() {
        return;
    }
    let said = evidence.said_configuration_set().map(str::to_owned);
    let set = args.configuration_set.clone().or(said);
    match learn_of_sending(&account, &region, set.as_deref(), evidence).await {
        Ok(true) => asked.push("SES"),
        Ok(false) => output.advice("SES would be asked about the message if the caller were permitted ses:GetAccount and ses:GetEmailIdentity"),
        Err(error) => output.warn(&format!("SES was not asked: {}", explain::aws::failure(&error).message)),
    }
    if evidence.from.is_none() && diagnose(evidence).findings.is_empty() {
        output.note("whether a message may be sent was not asked: that takes --from, and --to");
    }
}

/// Asks for the key, its user, and whether the user may send: the message if there is a sender, else any. Returns
/// whether IAM answered anything.
async fn ask_of_key(
    account: &Account,
    id: &AccessKeyId,
    evidence: &mut Evidence,
) -> Result<bool, Error> {
    learn_of_key(account, id, evidence).await?;
    let from = evidence.from.as_deref().and_then(|from| Address::parse(from).ok());
    let to = evidence.to.as_deref().and_then(|to| Address::parse(to).ok());
    if let (Some(user), Some(region)) = (&evidence.iam_user, &evidence.region) {
        evidence.permission = match from {
            Some(from) => {
                let to = to.into_iter().collect();
                let envelope = Envelope { from, to, region: region.clone() };
                permission(account, user, &envelope).await?
            }
            None => permission_at_all(account, user, region).await?,
        };
    }
    Ok(evidence.key == Some(Key::Unknown) || evidence.iam_user.is_some())
}

/// Asks whether there is a user of this name. Returns whether IAM answered.
async fn ask_of_name(
    account: &Account,
    name: &str,
    evidence: &mut Evidence,
) -> Result<bool, Error> {
    evidence.is_iam_user = is_user(account, name).await?;
    evidence.iam_user = Some(name.to_owned()).filter(|_| evidence.is_iam_user == Some(true));
    Ok(evidence.is_iam_user.is_some())
}
