//! `Text`: words in one or more languages.

use std::{cell::RefCell, collections::BTreeMap, fmt, sync::OnceLock};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, schema::Type},
};

use super::{characters, codelists};

static LANGUAGES: OnceLock<Vec<String>> = OnceLock::new();

/// Words by language: `{"ro": "...", "en": "..."}`, keys of ISO 639-1. A bare string is accepted as the first configured language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Text(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, because an untagged enum would first build the whole value in memory, for each text of each row.
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("words, or words by language")
            }

            fn visit_str<E: de::Error>(self, words: &str) -> Result<Text, E> {
                Ok(Text(BTreeMap::from([(languages()[0].clone(), words.to_owned())])))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Text, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(entries)).map(Text)
            }
        }

        deserializer.deserialize_any(Words)
    }
}

/// Sets the languages of the service (`MANDATE_LANGUAGES`), most preferred first; the first call of a process counts.
pub fn use_languages(languages: Vec<String>) {
    if !languages.is_empty() {
        let _ = LANGUAGES.set(languages);
    }
}

/// The languages of the service, most preferred first.
pub fn languages() -> &'static [String] {
    LANGUAGES.get_or_init(|| vec!["ro".to_owned(), "en".to_owned()])
}

/// What there is in the language asked for, or else in the first language of the service that has any.
pub fn chosen<T>(language: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    find(language).or_else(|| languages().iter().find_map(|language| find(language)))
}

thread_local! {
    static SPOKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Works with a language that goes before those of the service wherever a text is told in one language only (`Text::preferred`).
pub fn speaking<T>(language: Option<&str>, work: impl FnOnce() -> T) -> T {
    struct Before(Option<String>);

    impl Drop for Before {
        fn drop(&mut self) {
            SPOKEN.set(self.0.take());
        }
    }

    let _before = Before(SPOKEN.replace(language.map(str::to_owned)));
    work()
}

/// The words in a language may have so many characters.
const LONGEST: usize = 10_000;

impl Text {
    /// Whether these may be the words in a language.
    pub fn may_say(words: &str) -> bool {
        characters::unfit_in_text(words).is_none()
            && words.chars().any(|character| !character.is_whitespace())
            && words.chars().count() <= LONGEST
    }

    /// The words in the most preferred language that has any.
    pub fn preferred(&self) -> &str {
        let asked = SPOKEN.with_borrow(|language| self.0.get(language.as_ref()?));
        asked
            .or_else(|| languages().iter().find_map(|language| self.0.get(language)))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
}

impl PartialSchema for Text {
    fn schema() -> RefOr<Schema> {
        let words = || {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(LONGEST))
                .pattern(Some(r"\S"))
        };
        let language = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codelists::all_languages()));
        let languages = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(language))
            .additional_properties(Some(words().description(Some("The words in the language of the key."))))
            .min_properties(Some(1))
            .max_properties(Some(30));
        OneOfBuilder::new()
            .description(Some("Words by language (ISO 639-1), or a bare string in the first configured language."))
            .item(words())
            .item(languages)
            .examples([json!({"ro": "Educație", "en": "Education"})])
            .into()
    }
}

impl ToSchema for Text {
    fn name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
}
