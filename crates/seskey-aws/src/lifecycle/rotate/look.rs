//! The checks for a new key, made before there is one.

use std::collections::BTreeSet;

use seskey::AccessKeyId;

use super::{Rotation, Run, failure::RotateFailure};
use crate::{Account, lifecycle::Interrupt, smtp::Transcript, store};

/// Checks everything that could keep a new key from its stores, before the key exists. `tags_too_many` of the user's
/// tags must go, and `keys` are the user's. Changes nothing.
///
/// # Errors
/// The obstacle.
pub async fn look(
    account: &Account,
    rotation: &Rotation,
    tags_too_many: usize,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), RotateFailure> {
    let Rotation { user, region, stores, hook, .. } = rotation;
    room_for_notes(rotation, tags_too_many)?;
    if let Some(hook) = hook {
        hook.look().await.map_err(RotateFailure::NoHook)?;
    }
    for region in rotation.regions() {
        let proof = rotation.proof_in(region);
        let mut transcript = Transcript::default();
        let session = proof.client.connect(&proof.server, &mut transcript).await;
        session.map_err(RotateFailure::Unreachable)?.quit().await;
    }
    for store in stores {
        let ready = store::probe(account, store, store.region_or(region), user, keys).await;
        ready.map_err(|error| RotateFailure::of_store(store, error))?;
    }
    Ok(())
}

/// Checks the stores of a user that is not made yet: a credential in them must be nobody's. Changes nothing.
///
/// # Errors
/// Somebody else logs in with it, or it is not a credential.
pub async fn look_at_stores(account: &Account, rotation: &Rotation) -> Result<(), RotateFailure> {
    let on_event = &mut |_| {};
    let mut run = Run::new(account, rotation, Interrupt::never(), on_event);
    for store in &rotation.stores {
        run.holds(store, store.region_or(&rotation.region), &[]).await?;
    }
    Ok(())
}

/// Checks the tags of the user alone.
pub(super) fn room_for_notes(rotation: &Rotation, too_many: usize) -> Result<(), RotateFailure> {
    match too_many > 0 && !rotation.forgoes_notes {
        true => Err(RotateFailure::Tags { too_many }),
        false => Ok(()),
    }
}
