//! The lists of a contribution: recipients, themes, money, trainees, documents.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::values::{Country, Language, Money, Quantity, Text, Url};

/// Whom a contribution is for: a country or a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionRecipient {
    /// A country, ISO 3166-1 alpha-2; exactly one of this and `region`.
    pub country: Option<Country>,
    /// A region of the OECD DAC (IATI code list Region), such as `89` for Europe or `998` for developing countries that are not named;
    /// exactly one of this and `country`.
    #[schema(pattern = "^[0-9]{2,4}$", example = "89")]
    pub region: Option<String>,
    /// Its share of the contribution in percent, above 0.
    pub percentage: Option<Quantity>,
}

/// What a contribution is about, as a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionTheme {
    /// Whose code it is (IATI code list SectorVocabulary): `1` and `2` are the purpose codes of the OECD DAC with five and three digits, `7` and
    /// `8` goals and targets of the SDG, `98` and `99` codes of one's own.
    #[schema(pattern = "^([1-9]|1[0-2]|98|99)$", example = "99")]
    pub vocabulary: String,
    /// Where a vocabulary of one's own is described.
    pub vocabulary_url: Option<Url>,
    /// The code.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "incident-response")]
    pub code: String,
    /// What it means.
    pub narrative: Option<Text>,
    /// Its share of the contribution in percent, above 0.
    pub percentage: Option<Quantity>,
}

/// Whether a budget is the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContributionBudgetKind {
    /// The first (IATI BudgetType 1).
    Original,
    /// Set anew (2); where there is one for a period, the original of that period no longer counts.
    Revised,
}

/// How firm a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContributionBudgetStatus {
    /// Not binding (IATI BudgetStatus 1).
    Indicative,
    /// Binding (2).
    Committed,
}

/// What is meant to be spent in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionBudget {
    /// Original or revised.
    pub kind: ContributionBudgetKind,
    /// How firm it is.
    pub status: ContributionBudgetStatus,
    /// The first day. It counts in the year of this day.
    pub from: NaiveDate,
    /// The last day; IATI advises at most a year.
    pub to: NaiveDate,
    /// The amount.
    pub money: Money,
    /// The day of the rate at which the amount is to be converted.
    pub value_on: NaiveDate,
}

/// Somebody in a payment, by name or by the identifier of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionParty {
    /// The name; at least one of this and `reference`.
    pub name: Option<Text>,
    /// The identifier of the organisation, such as `XM-DAC-41114`; at least one of this and `name`.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$", example = "XM-DAC-41114")]
    pub reference: Option<String>,
    /// What sort of organisation it is (IATI code list OrganisationType), such as `10` for a government.
    #[schema(pattern = "^[0-9]{2}$", example = "10")]
    pub organisation_type: Option<String>,
    /// How that organisation names this activity.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$")]
    pub activity_reference: Option<String>,
}

/// What is to be paid in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedDisbursement {
    /// Original or revised, where that is said.
    pub kind: Option<ContributionBudgetKind>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// The amount.
    pub money: Money,
    /// The day of the rate at which the amount is to be converted.
    pub value_on: NaiveDate,
    /// Who is to pay.
    pub provider: Option<ContributionParty>,
    /// Who is to receive.
    pub receiver: Option<ContributionParty>,
}

/// What a transaction does: the words of the IATI code list TransactionType, 1 to 13 in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContributionTransactionKind {
    /// Money received for the contribution (1).
    IncomingFunds,
    /// A firm promise to others (2).
    OutgoingCommitment,
    /// Money placed at the disposal of others (3).
    Disbursement,
    /// Money spent on goods and services (4).
    Expenditure,
    /// Interest paid on a loan (5).
    InterestPayment,
    /// Principal of a loan repaid (6).
    LoanRepayment,
    /// What the receiver had spent is paid back to it (7).
    Reimbursement,
    /// Equity bought (8).
    PurchaseOfEquity,
    /// Equity sold (9).
    SaleOfEquity,
    /// A loan guaranteed (10).
    CreditGuarantee,
    /// A firm promise of others (11).
    IncomingCommitment,
    /// A promise to others that does not bind (12).
    OutgoingPledge,
    /// A promise of others that does not bind (13).
    IncomingPledge,
}

/// What was promised, received or paid on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionTransaction {
    /// What it does.
    pub kind: ContributionTransactionKind,
    /// The number that its accounts give it.
    #[schema(min_length = 1, max_length = 200)]
    pub reference: Option<String>,
    /// When; not after today.
    pub dated_on: NaiveDate,
    /// The amount.
    pub money: Money,
    /// Whether it takes back what was recorded before: a value below zero in IATI.
    #[serde(default)]
    pub is_reversal: bool,
    /// The day of the rate at which the amount is to be converted.
    pub value_on: NaiveDate,
    /// What it was for.
    pub description: Option<Text>,
    /// Who paid or promised.
    pub provider: Option<ContributionParty>,
    /// Who received.
    pub receiver: Option<ContributionParty>,
}

/// The sex of people, as counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Women and girls.
    Female,
    /// Men and boys.
    Male,
    /// Counted as neither.
    Other,
    /// Not counted by sex.
    Unknown,
}

/// How many people were trained in a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trainees {
    /// The calendar year; not after this one.
    #[schema(minimum = 1990, maximum = 2100)]
    pub year: i32,
    /// Where they are from, ISO 3166-1 alpha-2; null where that was not counted.
    pub country: Option<Country>,
    /// Their sex; `unknown` where that was not counted.
    pub sex: Sex,
    /// How many; 0 says that nobody was.
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub count: i32,
}

/// What can be read about a contribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionDocument {
    /// Where it is.
    pub url: Url,
    /// Its title.
    pub title: Text,
    /// What it says.
    pub description: Option<Text>,
    /// Its media type, such as `application/pdf`.
    #[schema(max_length = 200, pattern = r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+$", example = "application/pdf")]
    pub format: Option<String>,
    /// What sort of document it is (IATI code list DocumentCategory), such as `A01`.
    #[schema(pattern = "^[AB][0-9]{2}$", example = "A01")]
    pub category: Option<String>,
    /// Its languages, ISO 639-1.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub languages: Vec<Language>,
    /// Of which day it is.
    pub dated_on: Option<NaiveDate>,
}
