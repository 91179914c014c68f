//! Roles, areas and scopes: the words in which the policy speaks.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema},
};

/// What someone is; `policy` says what each may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ValueEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = KeyRole)]
pub enum Role {
    /// Everything: also keys and settings.
    Admin,
    /// Writes the whole plan, and imports.
    Coordinator,
    /// Writes what belongs to the work of one entity.
    Editor,
    /// Writes the money of what one entity leads.
    Finance,
    /// Writes what is international.
    Diplomat,
    /// Writes assessments of readiness.
    Assessor,
    /// Reads all, and writes nothing.
    Auditor,
    /// Reads.
    Viewer,
}

impl Role {
    /// All roles, the most powerful first.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Coordinator,
        Self::Editor,
        Self::Finance,
        Self::Diplomat,
        Self::Assessor,
        Self::Auditor,
        Self::Viewer,
    ];

    /// Its name, as in JSON and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Coordinator => "coordinator",
            Self::Editor => "editor",
            Self::Finance => "finance",
            Self::Diplomat => "diplomat",
            Self::Assessor => "assessor",
            Self::Auditor => "auditor",
            Self::Viewer => "viewer",
        }
    }

    /// Whether it is the role of an entity, and means nothing without one.
    pub fn is_of_an_entity(self) -> bool {
        matches!(self, Self::Editor | Self::Finance)
    }
}

/// A part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Strategies and the work under them.
    Plan,
    /// Who acts.
    Entities,
    /// Budgets and where they come from.
    Money,
    /// What is reported, owed and feared of the work.
    Progress,
    /// Engagements with other countries.
    International,
    /// Assessments of readiness.
    Readiness,
    /// The record of all changes.
    Record,
    /// Keys.
    Access,
    /// Whole plans in and out.
    Transfer,
}

impl Area {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Plan, "plan"),
        (Self::Entities, "entities"),
        (Self::Money, "money"),
        (Self::Progress, "progress"),
        (Self::International, "international"),
        (Self::Readiness, "readiness"),
        (Self::Record, "record"),
        (Self::Access, "access"),
        (Self::Transfer, "transfer"),
    ];

    /// Whether an area has this name.
    pub fn is_word(word: &str) -> bool {
        Self::ALL.iter().any(|(_, name)| *name == word)
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(area, _)| *area == self).map_or("", |(_, word)| word)
    }
}

/// What an operation does to its area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Nothing.
    Read,
    /// Changes it.
    Write,
}

impl Act {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A part of what the role of a key may, such as `plan:read`. A key with scopes may nothing outside of them; `write` includes `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(pub Area, pub Act);

impl Scope {
    /// Every scope there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Area::ALL.into_iter().flat_map(|(area, _)| [Self(area, Act::Read), Self(area, Act::Write)])
    }

    /// Whether it includes an act.
    pub fn allows(self, area: Area, act: Act) -> bool {
        self.0 == area && (self.1 == act || self.1 == Act::Write)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.word(), self.1.word())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::all().find(|scope| scope.to_string() == word).ok_or_else(|| {
            let all: Vec<String> = Self::all().map(|scope| scope.to_string()).collect();
            format!("a scope is one of {}", all.join(", "))
        })
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(schema::Type::String)
            .enum_values(Some(Self::all().map(|scope| scope.to_string())))
            .description(Some("A part of what the role may; `write` includes `read`."))
            .into()
    }
}

impl ToSchema for Scope {}

/// The scopes of a key; none means no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Scopes(pub Vec<Scope>);

impl Scopes {
    /// Whether they include an act.
    pub fn allow(&self, area: Area, act: Act) -> bool {
        self.0.is_empty() || self.0.iter().any(|scope| scope.allows(area, act))
    }

    /// As they are stored.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl TryFrom<Vec<String>> for Scopes {
    type Error = String;

    // A word that is not known must not be left out: no scope at all means no limit.
    fn try_from(words: Vec<String>) -> Result<Self, String> {
        words.iter().map(|word| word.parse()).collect::<Result<_, _>>().map(Self)
    }
}
