//! `Profile`: what kind of work somebody does.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::{text::suggestion, values::codelists},
    repository::Faults,
};

/// A role profile of the European Cybersecurity Skills Framework (ENISA, 2022), such as `cybersecurity_architect`, or one of your own after `own:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, pattern = "^(own:)?[a-z0-9][a-z0-9_]{0,79}$", example = "cybersecurity_architect")]
pub struct Profile(pub String);

impl Profile {
    /// Notes a profile that is neither of the framework nor one's own.
    pub(super) fn check(&self, faults: &mut Faults) {
        if self.0.starts_with("own:") || codelists::ecsf_profiles().any(|profile| profile == self.0) {
            return;
        }
        let meant = suggestion(&self.0, codelists::ecsf_profiles());
        faults.add(
            "profile",
            "unknown_code",
            format!("`{}` is no profile of the ECSF; write one of your own as `own:{0}`{meant}", self.0),
        );
    }
}
