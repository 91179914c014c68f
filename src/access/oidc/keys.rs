//! The keys of an issuer (RFC 7517): those that sign tokens with the one algorithm that is taken.

use std::collections::HashMap;

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// The usable keys of an issuer by their `kid`.
pub(super) struct Keys {
    pub(super) usable: HashMap<String, DecodingKey>,
    /// Why the others are not, each in a few words.
    pub(super) left_out: Vec<String>,
}

/// An RSA key has so many bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl Keys {
    /// Reads a set of keys. One that is not understood is no fault of the set (RFC 7517, 5).
    pub(super) fn read(body: &[u8], algorithm: Algorithm) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(body).map_err(|_| "is no set of keys (RFC 7517)".to_owned())?;
        let mut keys = Self { usable: HashMap::new(), left_out: Vec::new() };
        for key in set.keys {
            let kid = key["kid"].as_str().unwrap_or_default().to_owned();
            match serde_json::from_value(key).map_err(|_| "is not understood").and_then(|key| usable(&key, algorithm)) {
                _ if kid.is_empty() => keys.left_out.push("one has no `kid`".into()),
                Ok(_) if keys.usable.contains_key(&kid) => keys.left_out.push(format!("`{kid}` stands twice")),
                Ok(key) => drop(keys.usable.insert(kid, key)),
                Err(why) => keys.left_out.push(format!("`{kid}` {why}")),
            }
        }
        Ok(keys)
    }
}

fn usable(key: &Jwk, algorithm: Algorithm) -> Result<DecodingKey, &'static str> {
    let common = &key.common;
    if common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature)
        || common.key_operations.as_ref().is_some_and(|may| !may.contains(&KeyOperations::Verify))
    {
        return Err("is not for signatures");
    }
    if common.key_algorithm.is_some_and(|own| own != algorithm.into()) {
        return Err("is for another algorithm");
    }
    let broken = "is broken";
    let read = || DecodingKey::from_jwk(key).map_err(|_| broken);
    match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::PS256) => {
            let key = read()?;
            let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return Err(broken) };
            // Some libraries put a zero before it (RFC 7518, 6.3.1.1), which ring does not take.
            let n = &n[n.iter().take_while(|byte| **byte == 0).count()..];
            let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
            if RSA_BITS.contains(&bits) {
                Ok(DecodingKey::from_rsa_raw_components(n, e))
            } else {
                Err("has fewer than 2048 bits, or more than 8192")
            }
        }
        (AlgorithmParameters::EllipticCurve(parameters), Algorithm::ES256)
            if parameters.curve == EllipticCurve::P256 =>
        {
            read().and_then(|key| long(key, 65))
        }
        (AlgorithmParameters::OctetKeyPair(parameters), Algorithm::EdDSA)
            if parameters.curve == EllipticCurve::Ed25519 =>
        {
            read().and_then(|key| long(key, 32))
        }
        _ => Err("is for another algorithm"),
    }
}

fn long(key: DecodingKey, bytes: usize) -> Result<DecodingKey, &'static str> {
    if key.try_get_as_bytes().is_ok_and(|point| point.len() == bytes) { Ok(key) } else { Err("is broken") }
}
