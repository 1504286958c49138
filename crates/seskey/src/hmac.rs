//! HMAC-SHA256 (RFC 2104, FIPS 180-4) as a chain: each result is the key of the next HMAC.
//!
//! Every key but the first has 32 bytes, and every message fits into one block. So an HMAC is four runs of the
//! compression function over blocks in which only the key is unknown. With direct calls of that function, a password
//! takes 0.70 of the time that it takes with the crate `hmac` (docs/benchmarks.md), and keys and blocks are wiped once,
//! at the end of the chain. The tests compare it with that crate.

use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::ZeroizeOnDrop;

use crate::secret::wipe;

/// The length of the longest message: a block without the end mark and the length.
pub(crate) const MAX_MESSAGE: usize = BLOCK - 1 - 8;

/// A key and the blocks to compute with.
pub(crate) struct Chain {
    key: [u8; 32],
    blocks: [[u8; BLOCK]; 2],
}

/// The hash states after the two pads of a key, kept to sign many messages.
#[derive(Clone)]
pub(crate) struct Keyed {
    inner: [u32; 8],
    outer: [u32; 8],
}

const BLOCK: usize = 64;
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/// The initial hash: FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

impl Chain {
    /// Signs the next message with the result so far.
    pub(crate) fn sign(mut self, message: &[u8]) -> Self {
        self.blocks[0].fill(INNER_PAD);
        for (padded, key) in self.blocks[0].iter_mut().zip(self.key) {
            *padded ^= key;
        }
        fill(&mut self.blocks[1], message);
        let mut state = INITIAL;
        compress256(&mut state, &self.blocks);
        self.blocks[0].iter_mut().for_each(|padded| *padded ^= INNER_PAD ^ OUTER_PAD);
        fill(&mut self.blocks[1], &bytes(state));
        state = INITIAL;
        compress256(&mut state, &self.blocks);
        self.key = bytes(state);
        wipe(&mut state);
        self
    }

    /// Returns the result so far.
    pub(crate) fn result(&self) -> &[u8; 32] {
        &self.key
    }
}

impl Keyed {
    /// Prepares a key of any length.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        match key.len() {
            0..=BLOCK => block[..key.len()].copy_from_slice(key),
            _ => block[..32].copy_from_slice(&Sha256::digest(key)),
        }
        let state = |block: &[u8; BLOCK]| {
            let mut state = INITIAL;
            compress256(&mut state, &[*block]);
            state
        };
        block.iter_mut().for_each(|byte| *byte ^= INNER_PAD);
        let inner = state(&block);
        block.iter_mut().for_each(|byte| *byte ^= INNER_PAD ^ OUTER_PAD);
        let outer = state(&block);
        wipe(&mut block);
        Self { inner, outer }
    }

    /// Signs a message and begins a chain.
    pub(crate) fn sign(&self, message: &[u8]) -> Chain {
        let mut chain = Chain { key: [0; 32], blocks: [[0; BLOCK]; 2] };
        let block = &mut chain.blocks[..1];
        fill(&mut block[0], message);
        let mut state = self.inner;
        compress256(&mut state, block);
        fill(&mut block[0], &bytes(state));
        state = self.outer;
        compress256(&mut state, block);
        chain.key = bytes(state);
        wipe(&mut state);
        chain
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        wipe(&mut self.key);
        self.blocks.iter_mut().for_each(wipe);
    }
}

impl ZeroizeOnDrop for Chain {}

impl Drop for Keyed {
    fn drop(&mut self) {
        wipe(&mut self.inner);
        wipe(&mut self.outer);
    }
}

impl ZeroizeOnDrop for Keyed {}

/// Fills the last block of a hash over one block and this message: FIPS 180-4, section 5.1.1.
fn fill(block: &mut [u8; BLOCK], message: &[u8]) {
    debug_assert!(message.len() <= MAX_MESSAGE);
    let bits = 8 * (BLOCK + message.len()) as u64;
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    block[message.len() + 1..MAX_MESSAGE + 1].fill(0);
    block[MAX_MESSAGE + 1..].copy_from_slice(&bits.to_be_bytes());
}

fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    use super::*;

    fn reference(key: &[u8], message: &[u8]) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(message);
        hmac.finalize().into_bytes().into()
    }

    proptest! {
        #[test]
        fn a_chain_is_one_hmac_after_the_other(
            key in prop::collection::vec(any::<u8>(), 0..200),
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX_MESSAGE), 1..4),
        ) {
            let (first, rest) = messages.split_first().unwrap();
            let chain = rest.iter().fold(Keyed::new(&key).sign(first), |chain, message| chain.sign(message));
            let expected = rest.iter().fold(reference(&key, first), |key, message| reference(&key, message));
            prop_assert_eq!(chain.result(), &expected);
        }
    }
}
