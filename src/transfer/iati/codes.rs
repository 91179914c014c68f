//! The IATI code lists whose codes are words here.

/// Codes and their words.
pub(super) type Codes = &'static [(&'static str, &'static str)];

/// ActivityStatus.
pub(super) const STATUSES: Codes = &[
    ("1", "pipeline"),
    ("2", "implementation"),
    ("3", "finalisation"),
    ("4", "closed"),
    ("5", "cancelled"),
    ("6", "suspended"),
];
/// ActivityDateType, and the fields of a contribution.
pub(super) const DATES: Codes =
    &[("1", "planned_starts_on"), ("2", "actual_starts_on"), ("3", "planned_ends_on"), ("4", "actual_ends_on")];
/// DescriptionType, and the fields of a contribution; without a code it is the first.
pub(super) const DESCRIPTIONS: Codes = &[("1", "description"), ("2", "objectives"), ("3", "target_groups")];
/// OrganisationRole.
pub(super) const ROLES: Codes = &[("1", "funding"), ("2", "accountable"), ("3", "extending"), ("4", "implementing")];
/// BudgetType.
pub(super) const BUDGET_KINDS: Codes = &[("1", "original"), ("2", "revised")];
/// BudgetStatus.
pub(super) const BUDGET_STATUSES: Codes = &[("1", "indicative"), ("2", "committed")];
/// TransactionType.
pub(super) const TRANSACTIONS: Codes = &[
    ("1", "incoming_funds"),
    ("2", "outgoing_commitment"),
    ("3", "disbursement"),
    ("4", "expenditure"),
    ("5", "interest_payment"),
    ("6", "loan_repayment"),
    ("7", "reimbursement"),
    ("8", "purchase_of_equity"),
    ("9", "sale_of_equity"),
    ("10", "credit_guarantee"),
    ("11", "incoming_commitment"),
    ("12", "outgoing_pledge"),
    ("13", "incoming_pledge"),
];
/// ResultType.
pub(super) const RESULTS: Codes = &[("1", "output"), ("2", "outcome"), ("3", "impact"), ("9", "other")];
/// IndicatorMeasure.
pub(super) const MEASURES: Codes =
    &[("1", "unit"), ("2", "percentage"), ("3", "nominal"), ("4", "ordinal"), ("5", "qualitative")];
/// Indicator/@ascending.
pub(super) const DIRECTIONS: Codes =
    &[("true", "ascending"), ("false", "descending"), ("1", "ascending"), ("0", "descending")];

/// The word of a code.
pub(super) fn word(codes: Codes, code: &str) -> Option<&'static str> {
    codes.iter().find(|(own, _)| *own == code).map(|(_, word)| *word)
}

/// The code of a word.
pub(super) fn code(codes: Codes, word: &str) -> Option<&'static str> {
    codes.iter().find(|(_, own)| *own == word).map(|(code, _)| *code)
}
