//! The rotation of a credential, with the clock moved ahead.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::SignedDuration;
use seskey::{
    Region, SmtpCredential,
    rotation::{self, Goal, Sending, Why},
    store::Store,
};
use seskey_aws::{
    Account,
    lifecycle::{
        Interrupt,
        prove::Proof,
        rotate::{End, Rotation, rotate},
    },
    store::{self, Held as Holds},
};
use seskey_local::server::Server;

use super::{Held, Smtp, Steps, text};

/// Rotates the key of a credential. Returns the new credential, which is then the only one.
pub(super) async fn rotated(
    steps: &mut Steps,
    local: &Server,
    account: &Account,
    smtp: &Smtp,
    region: &Region,
    old: &SmtpCredential,
) -> Held<SmtpCredential> {
    let folder = tempfile::tempdir().map_err(text)?;
    let file = folder.path().join("smtp.json");
    let store: Store = format!("file:{}", file.display()).parse().map_err(text)?;
    let written = async {
        store::write(account, &store, region, old, &BTreeSet::new()).await.map_err(text)?;
        Ok((file.display().to_string(), ()))
    };
    steps.hold("deliver the credential to a file", written).await?;
    let rotation = Rotation {
        user: old.iam_user.clone().unwrap_or_default(),
        region: region.clone(),
        goal: Goal::default(),
        plan: rotation::next,
        stores: vec![store.clone()],
        hook: None,
        proof: Proof::new(smtp.client.clone(), smtp.starttls.clone()),
        proofs: BTreeMap::new(),
        sending: Sending::Allowed,
        wait: Duration::ZERO,
        forgoes_notes: false,
        now: false,
        tags: None,
    };
    let run = |step: &'static str, days: i64, why: Option<Why>| {
        let rotation = &rotation;
        async move {
            let ahead = SignedDuration::from_hours(24 * days);
            local.move_clock(ahead).await.map_err(text)?;
            let run = rotate(account, rotation, Interrupt::never(), &mut |_| {}).await;
            let outcome = run.map_err(text)?;
            match (&outcome.end, why) {
                (End::Waits { until, why, .. }, Some(wanted)) if *why == wanted => {
                    Ok((format!("{} steps; the next one is due {until}", outcome.steps.len()), ()))
                }
                (End::Done { due: Some(due) }, None) => Ok((
                    format!("{} steps; the next rotation is due {due}", outcome.steps.len()),
                    (),
                )),
                (end, _) => Err(format!("{step} ended so: {end:?}")),
            }
        }
    };
    let step = "91 days later: rotate to a new access key";
    steps.hold(step, run(step, 91, Some(Why::Grace))).await?;
    let holds = store::read(account, &store, region, &BTreeSet::new()).await.map_err(text)?;
    let Holds::Credentials(mut credentials) = holds else {
        return Err("the file holds no credential".to_owned());
    };
    let (user_name, password) = credentials.remove(0);
    let new = SmtpCredential { user_name, password, ..old.clone() };
    let login = |credential: &SmtpCredential| {
        let (id, password) = (credential.user_name.clone(), credential.password.clone());
        async move { smtp.log_in(&smtp.starttls, id.as_str(), password.expose()).await }
    };
    steps.accepted("log in with what the file holds now", login(&new)).await?;
    steps.accepted("log in with the old credential, in its grace time", login(old)).await?;
    let step = "8 days later: deactivate the old access key";
    steps.hold(step, run(step, 99, Some(Why::Quarantine))).await?;
    steps.refused("the old credential", 535, login(old)).await?;
    let step = "8 days later: delete the old access key";
    steps.hold(step, run(step, 107, None)).await?;
    Ok(new)
}
