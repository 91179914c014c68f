//! `Model`: in which order which elements may stand. Particles become one automaton (Glushkov's): a state for each place of an element, the
//! places that may follow it, and the places that may be last.

use std::collections::BTreeSet;

use super::Declared;
use crate::xml::Name;

/// A bound of occurrences may be so large; beyond it stands `unbounded`.
const LARGEST: u32 = 16;

/// A place of the automaton.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    /// An element of this name and type.
    Element(Name, Declared),
    /// Any element that is in a namespace (`##other` of a schema that has none itself).
    AnyOther,
}

impl Leaf {
    fn is_for(&self, name: &Name) -> bool {
        match self {
            Self::Element(own, _) => own == name,
            Self::AnyOther => name.space.is_some(),
        }
    }

    /// True when there is an element that both are for.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Element(name, _), leaf) | (leaf, Self::Element(name, _)) => leaf.is_for(name),
            (Self::AnyOther, Self::AnyOther) => true,
        }
    }
}

/// A content model.
#[derive(Debug, Clone)]
pub(super) struct Model {
    leaves: Vec<Leaf>,
    /// The places that may come first.
    first: BTreeSet<usize>,
    /// The places that may follow each place.
    follow: Vec<BTreeSet<usize>>,
    /// The places that may be last.
    last: BTreeSet<usize>,
    /// True when there may be no element at all.
    is_nullable: bool,
}

impl Default for Model {
    /// The model of nothing.
    fn default() -> Self {
        Self {
            leaves: Vec::new(),
            first: BTreeSet::new(),
            follow: Vec::new(),
            last: BTreeSet::new(),
            is_nullable: true,
        }
    }
}

impl Model {
    /// The model of one element.
    pub(super) fn leaf(leaf: Leaf) -> Self {
        let only = BTreeSet::from([0]);
        Self { leaves: vec![leaf], first: only.clone(), follow: vec![BTreeSet::new()], last: only, is_nullable: false }
    }

    /// This, and then that.
    pub(super) fn then(mut self, next: Self) -> Self {
        let next = self.take_in(next);
        for place in &self.last {
            self.follow[*place].extend(&next.first);
        }
        if self.is_nullable {
            self.first.extend(&next.first);
        }
        self.last = if next.is_nullable { &self.last | &next.last } else { next.last };
        self.is_nullable &= next.is_nullable;
        self
    }

    /// This or that.
    pub(super) fn or(mut self, other: Self) -> Self {
        let other = self.take_in(other);
        self.first.extend(&other.first);
        self.last.extend(&other.last);
        self.is_nullable |= other.is_nullable;
        self
    }

    /// This, between so many times.
    pub(super) fn times(self, least: u32, most: Option<u32>) -> Result<Self, String> {
        if least > LARGEST || most.is_some_and(|most| most > LARGEST || most < least) {
            return Err(format!("occurrences of {least} to {most:?} are not known here"));
        }
        let mut whole = Self::default();
        let required = if most.is_none() { least.saturating_sub(1) } else { least };
        for _ in 0..required {
            whole = whole.then(self.clone());
        }
        let Some(most) = most else {
            let mut again = self;
            for place in &again.last {
                again.follow[*place].extend(&again.first);
            }
            again.is_nullable |= least == 0;
            return Ok(whole.then(again));
        };
        let mut rest = Self::default();
        for _ in least..most {
            rest = self.clone().then(rest);
            rest.is_nullable = true;
        }
        Ok(whole.then(rest))
    }

    /// Takes the places of another model in, whose own sets are returned with their new numbers.
    fn take_in(&mut self, other: Self) -> Self {
        let start = self.leaves.len();
        let moved = |set: &BTreeSet<usize>| set.iter().map(|place| place + start).collect::<BTreeSet<usize>>();
        self.leaves.extend(other.leaves);
        self.follow.extend(other.follow.iter().map(moved));
        Self {
            leaves: Vec::new(),
            first: moved(&other.first),
            follow: Vec::new(),
            last: moved(&other.last),
            is_nullable: other.is_nullable,
        }
    }

    /// The first two places that one element could take, between which nothing decides; a schema must not have such.
    pub(super) fn ambiguity(&self) -> Option<String> {
        let sets = std::iter::once(&self.first).chain(&self.follow);
        for set in sets {
            let leaves: Vec<&Leaf> = set.iter().map(|place| &self.leaves[*place]).collect();
            for (index, leaf) in leaves.iter().enumerate() {
                if leaves[..index].iter().any(|other| leaf.meets(other)) {
                    return Some(format!("{leaf:?} can be in two places"));
                }
            }
        }
        None
    }
}

/// What is wrong with an element in its place, or with the end of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Stable word for machines.
    pub(super) code: &'static str,
    /// What is wrong, and what is allowed instead.
    pub(super) detail: String,
}

/// A walk through a model, element by element.
#[derive(Debug, Clone, Copy, Default)]
pub struct Walk {
    at: Option<usize>,
}

impl Walk {
    fn next(self, model: &Model) -> &BTreeSet<usize> {
        self.at.map_or(&model.first, |place| &model.follow[place])
    }

    fn may_end(self, model: &Model) -> bool {
        self.at.map_or(model.is_nullable, |place| model.last.contains(&place))
    }

    /// The element that must still come, if one must.
    fn missing(self, model: &Model) -> Option<usize> {
        if self.may_end(model) {
            return None;
        }
        // All that may be left out before it stands before it.
        self.next(model).iter().next_back().copied()
    }

    /// Goes on to an element. The walk stays where it is when the element is refused.
    pub(super) fn step<'a>(&mut self, model: &'a Model, name: &Name, parent: &Name) -> Result<&'a Leaf, Refusal> {
        match self.next(model).iter().find(|place| model.leaves[**place].is_for(name)) {
            Some(place) => {
                self.at = Some(*place);
                Ok(&model.leaves[*place])
            }
            None => Err(self.refusal(model, name, parent)),
        }
    }

    /// The content ends.
    pub(super) fn end(self, model: &Model, parent: &Name) -> Result<(), Refusal> {
        let Some(missing) = self.missing(model) else { return Ok(()) };
        let (name, after) = (word(&model.leaves[missing]), self.after(model));
        Err(Refusal { code: "required", detail: format!("{name} is missing in `{parent}`{after}") })
    }

    fn after(self, model: &Model) -> String {
        self.at.map_or_else(String::new, |place| format!(" after {}", word(&model.leaves[place])))
    }

    fn refusal(self, model: &Model, name: &Name, parent: &Name) -> Refusal {
        let own = model.leaves.iter().rposition(|leaf| leaf.is_for(name));
        let mut allowed: Vec<String> = self.next(model).iter().map(|place| word(&model.leaves[*place])).collect();
        allowed.dedup();
        let after = self.after(model);
        let allowed = match (&allowed[..], self.may_end(model)) {
            ([], _) if model.leaves.is_empty() => "it holds no elements".to_owned(),
            ([], _) => format!("nothing may stand{after}"),
            (allowed, may_end) => {
                let end = if may_end { ", or its end" } else { "" };
                format!("here may stand{after}: {}{end}", allowed.join(", "))
            }
        };
        let (code, detail) = match (own, self.missing(model)) {
            (None, _) => ("not_allowed", format!("`{name}` is no element of `{parent}`; {allowed}")),
            (Some(own), Some(missing)) if missing < own => (
                "required",
                format!("{} is missing in `{parent}` before `{name}`; {allowed}", word(&model.leaves[missing])),
            ),
            (Some(own), _) if self.at == Some(own) => {
                ("duplicate", format!("`{name}` may not stand once more in `{parent}`; {allowed}"))
            }
            (Some(_), _) => ("not_allowed", format!("`{name}` stands in the wrong place of `{parent}`; {allowed}")),
        };
        Refusal { code, detail }
    }
}

fn word(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Element(name, _) => format!("`{name}`"),
        Leaf::AnyOther => "an element of another namespace".into(),
    }
}
