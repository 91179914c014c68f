//! What is asked of a contribution beyond the shape of its fields.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;

use super::{
    Contribution, ContributionDirection, ContributionStatus,
    parts::{ContributionParty, ContributionRecipient, ContributionTheme},
};
use crate::{
    base::values::{Country, Quantity, codelists},
    nouns::money::cost::check_money,
    repository::Faults,
};

/// What has happened is not after today.
pub(super) const NOT_IN_THE_FUTURE: &str = "
    select '#/transactions/' || (t.n - 1) || '/dated_on', 'in_future',
        'Give a day that is not after today; what is still to be paid stands in planned_disbursements.'
    from contributions c, jsonb_array_elements(c.transactions) with ordinality t(item, n)
    where c.id = any($1) and (t.item ->> 'dated_on')::date > (select today())
    union all
    select '#/trainees/' || (t.n - 1) || '/year', 'in_future', 'Give a year that is not after this one.'
    from contributions c, jsonb_array_elements(c.trainees) with ordinality t(item, n)
    where c.id = any($1) and (t.item ->> 'year')::integer > extract(year from (select today()))
    union all
    select '#/actual_starts_on', 'in_future', 'Give a day that is not after today, or planned_starts_on.'
    from contributions where id = any($1) and actual_starts_on > (select today())
    union all
    select '#/actual_ends_on', 'in_future', 'Give a day that is not after today, or planned_ends_on.'
    from contributions where id = any($1) and actual_ends_on > (select today())";

pub(super) fn check(contribution: &Contribution, faults: &mut Faults) {
    check_way(contribution, faults);
    check_recipients(contribution, faults);
    check_themes(&contribution.themes, faults);
    check_money_of(contribution, faults);
    for (number, result) in contribution.results.iter().enumerate() {
        result.check(&format!("results/{number}"), faults);
    }
    check_trainees(contribution, faults);
    for (number, document) in contribution.documents.iter().enumerate() {
        for (place, _) in document.languages.iter().enumerate().filter(|(_, language)| !language.is_known()) {
            let at = format!("documents/{number}/languages/{place}");
            faults.add(&at, "unknown_code", "Give a language of ISO 639-1.");
        }
    }
}

fn check_way(contribution: &Contribution, faults: &mut Faults) {
    faults.check(
        contribution.strategy_id.is_none() || contribution.initiative_id.is_none(),
        "initiative_id",
        "at_most_one",
        "Give one of strategy_id and initiative_id, or none; an initiative is of one strategy anyway.",
    );
    faults.check_period(contribution.planned_starts_on, contribution.planned_ends_on, "planned_ends_on");
    faults.check_period(contribution.actual_starts_on, contribution.actual_ends_on, "actual_ends_on");
    let has_begun = !matches!(contribution.status, ContributionStatus::Pipeline | ContributionStatus::Cancelled);
    faults.check(
        !has_begun || contribution.planned_starts_on.is_some() || contribution.actual_starts_on.is_some(),
        "actual_starts_on",
        "needs_start",
        "Give actual_starts_on or planned_starts_on: with this status it has begun.",
    );
}

/// Notes shares that are not given for all, not above 0, or do not sum to 100.
fn check_shares<'a>(list: &str, shares: impl Iterator<Item = (usize, Option<&'a Quantity>)>, faults: &mut Faults) {
    let shares: Vec<_> = shares.collect();
    let given: Vec<Decimal> = shares.iter().filter_map(|(_, share)| share.map(|share| share.number())).collect();
    if given.is_empty() {
        return;
    }
    for (number, share) in &shares {
        let at = format!("{list}/{number}/percentage");
        match share.map(|share| share.number()) {
            None => faults.add(&at, "required", "Give the shares of all, or of none."),
            Some(share) => {
                let holds = share > Decimal::ZERO && share <= Decimal::ONE_HUNDRED;
                faults.check(holds, &at, "out_of_range", "Give a share above 0 and up to 100.");
            }
        }
    }
    let sum: Decimal = given.iter().sum();
    if given.len() == shares.len() && sum != Decimal::ONE_HUNDRED {
        let at = format!("{list}/{}/percentage", shares.last().map_or(0, |(number, _)| *number));
        faults.add(&at, "wrong_sum", format!("The shares sum to {sum}; let them sum to 100, or give none."));
    }
}

fn check_recipients(contribution: &Contribution, faults: &mut Faults) {
    let recipients = &contribution.recipients;
    let mut seen = HashSet::new();
    for (number, recipient) in recipients.iter().enumerate() {
        let ContributionRecipient { country, region, .. } = recipient;
        let at = format!("recipients/{number}");
        if country.is_some() == region.is_some() {
            faults.add(&at, "exactly_one", "Give exactly one of country and region.");
        }
        faults.check(
            country.as_ref().is_none_or(Country::is_known),
            &format!("{at}/country"),
            "unknown_code",
            "Give a country of ISO 3166-1 alpha-2.",
        );
        faults.check(
            region.as_deref().is_none_or(|region| codelists::dac_region(region).is_some()),
            &format!("{at}/region"),
            "unknown_code",
            "Give a region of the OECD DAC, such as 89 for Europe.",
        );
        let code = (country.as_ref().map(|country| &country.0), region);
        faults.check(seen.insert(code), &at, "duplicate", "It stands in the list already; leave one out.");
    }
    let shares = recipients.iter().map(|recipient| recipient.percentage.as_ref()).enumerate();
    check_shares("recipients", shares, faults);
    let ours = Country::configured();
    faults.check(
        contribution.direction != ContributionDirection::Given
            || recipients.iter().any(|recipient| recipient.country.as_ref() != Some(&ours)),
        "recipients",
        "needs_recipient",
        "Name a country or region other than our own to which it is given; region 998 stands for developing countries not named.",
    );
}

fn check_themes(themes: &[ContributionTheme], faults: &mut Faults) {
    let mut seen = HashSet::new();
    let mut vocabularies: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, theme) in themes.iter().enumerate() {
        let at = format!("themes/{number}/code");
        let is_known = match theme.vocabulary.as_str() {
            "1" => theme.code.len() == 5 && codelists::is_dac_sector(&theme.code),
            "2" => theme.code.len() == 3 && codelists::is_dac_sector(&theme.code),
            _ => true,
        };
        faults.check(
            is_known,
            &at,
            "unknown_code",
            "Give a purpose code of the OECD DAC: five digits with vocabulary 1, three with 2.",
        );
        let is_new = seen.insert((&theme.vocabulary, &theme.code));
        faults.check(is_new, &at, "duplicate", "It stands in the list already; leave one out.");
        vocabularies.entry(&theme.vocabulary).or_default().push(number);
    }
    for numbers in vocabularies.values() {
        check_shares("themes", numbers.iter().map(|number| (*number, themes[*number].percentage.as_ref())), faults);
    }
}

fn check_money_of(contribution: &Contribution, faults: &mut Faults) {
    faults.check(
        contribution.default_currency.as_deref().is_none_or(codelists::is_currency),
        "default_currency",
        "unknown_code",
        "Give a currency in use, ISO 4217.",
    );
    for (number, budget) in contribution.budgets.iter().enumerate() {
        check_money(&format!("budgets/{number}/money"), &budget.money, faults);
        faults.check_period(Some(budget.from), Some(budget.to), &format!("budgets/{number}/to"));
    }
    for (number, planned) in contribution.planned_disbursements.iter().enumerate() {
        let at = format!("planned_disbursements/{number}");
        check_money(&format!("{at}/money"), &planned.money, faults);
        faults.check_period(Some(planned.from), planned.to, &format!("{at}/to"));
        check_parties(&at, [("provider", &planned.provider), ("receiver", &planned.receiver)], faults);
    }
    for (number, transaction) in contribution.transactions.iter().enumerate() {
        let at = format!("transactions/{number}");
        check_money(&format!("{at}/money"), &transaction.money, faults);
        check_parties(&at, [("provider", &transaction.provider), ("receiver", &transaction.receiver)], faults);
    }
}

fn check_parties(at: &str, parties: [(&str, &Option<ContributionParty>); 2], faults: &mut Faults) {
    for (field, party) in parties {
        let Some(party) = party else { continue };
        let at = format!("{at}/{field}");
        faults.check(
            party.name.is_some() || party.reference.is_some(),
            &at,
            "no_name",
            "Give the name or the reference of the organisation.",
        );
        check_organisation_type(&format!("{at}/organisation_type"), party.organisation_type.as_deref(), faults);
    }
}

/// Notes a code that the IATI code list OrganisationType does not have.
pub(in crate::nouns::international) fn check_organisation_type(at: &str, code: Option<&str>, faults: &mut Faults) {
    faults.check(
        code.is_none_or(codelists::is_organisation_type),
        at,
        "unknown_code",
        "Give a code of the IATI code list OrganisationType, such as 10 for a government.",
    );
}

fn check_trainees(contribution: &Contribution, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (number, trainees) in contribution.trainees.iter().enumerate() {
        let at = format!("trainees/{number}");
        let country = trainees.country.as_ref();
        faults.check(
            country.is_none_or(Country::is_known),
            &format!("{at}/country"),
            "unknown_code",
            "Give a country of ISO 3166-1 alpha-2.",
        );
        let is_new = seen.insert((trainees.year, country.map(|country| &country.0), trainees.sex));
        faults.check(
            is_new,
            &at,
            "duplicate",
            "There is an entry of this year, country and sex; give one number for both.",
        );
    }
}
