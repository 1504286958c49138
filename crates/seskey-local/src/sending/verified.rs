//! Whether the addresses of a message are verified.

use seskey::Region;

use super::{Envelope, SendingRefusal, Settings, Submission};
use crate::{account::Account, message::Author};

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

/// The mailbox simulator, whose addresses may bear a label.
/// Source: SES Developer Guide, "Using the mailbox simulator manually".
pub(super) fn is_simulator(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let Some(local) = address.strip_suffix("@simulator.amazonses.com") else { return false };
    SIMULATED.contains(&local.split_once('+').map_or(local, |(name, _)| name))
}

const SIMULATED: &[&str] = &["success", "bounce", "ooto", "complaint", "suppressionlist"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulator_takes_labels() {
        for (address, expected) in [
            ("success@simulator.amazonses.com", true),
            ("Bounce+a.b+c@Simulator.amazonses.com", true),
            ("suppressionlist@simulator.amazonses.com", true),
            ("nobody@simulator.amazonses.com", false),
            ("success@simulator.amazonses.com.example", false),
            ("+success@simulator.amazonses.com", false),
        ] {
            assert_eq!(is_simulator(address), expected, "{address}");
        }
    }
}
