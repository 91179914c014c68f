//! stub
pub mod deadlines {
    pub struct Calendar {
        pub fiscal_year_start: u32,
    }
    pub fn use_calendar(_: Calendar) {}
}
use crate::{repository::*, values::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as=StubFilter)]
pub struct Filter {
    pub code: Vec<String>,
}
macro_rules! stub { ($($n:ident $t:literal),*) => { $(
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, sqlx::FromRow)] #[serde(deny_unknown_fields)] pub struct $n { pub external_id: Option<ExternalId>, pub code: Code, #[sqlx(json)] pub title: Text, #[sqlx(json(nullable))] pub description: Option<Text> }
impl Resource for $n { const KIND: &'static str = $t; const TABLE: &'static str = $t; const SORTS: &'static [Sort] = &[Sort::CODE]; type Filter = Filter;
 fn validate(&self, _: Option<&Self>, _: &mut Faults) {} fn columns(&self, row: &mut Row) { row.set("code", &self.code); } fn select(f: &Filter, s: &mut Select) { s.words("code", &f.code); } }
)* } }
stub!(Assignment "a", Dependency "b", Initiative "c", LegalAct "d", Milestone "e", Objective "f", Step "g", Strategy "h", Timeline "i", Entity "j", BudgetAllocation "k", FundingSource "l");
