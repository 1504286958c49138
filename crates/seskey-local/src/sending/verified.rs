//! The check that the addresses of a message are verified.

use seskey::Region;

use super::{Envelope, SendingRefusal, Settings, Submission};
use crate::{account::Account, event::is_simulator, message::Author};

impl Submission<'_> {
    pub(super) fn check_verified(
        &self,
        account: &Account,
        settings: &Settings,
    ) -> Result<(), SendingRefusal> {
        if !account.has_identities() {
            return Ok(());
        }
        let shown = |author: &Author| match &author.display_name {
            Some(name) => format!("{name} <{}>", author.address),
            None => author.address.clone(),
        };
        let authors =
            self.header.authors.iter().map(|author| (author.address.as_str(), shown(author)));
        let Envelope { sender, recipients } = self.envelope;
        let others = recipients
            .iter()
            .filter(|recipient| settings.sandbox && !is_simulator(recipient))
            .chain([sender])
            .chain(&self.header.sender)
            .map(String::as_str)
            .chain(self.feedback_addresses())
            .map(|address| (address, address.to_owned()));
        let mut failed: Vec<String> = vec![];
        for (address, shown) in authors.chain(others) {
            let is_verified = account.identity_of(self.region, address).is_some();
            if !is_verified && !failed.contains(&shown) {
                failed.push(shown);
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(self.not_verified(failed)) }
    }

    pub(super) fn not_verified(&self, identities: Vec<String>) -> SendingRefusal {
        SendingRefusal::NotVerified { region: Region::clone(self.region), identities }
    }
}
