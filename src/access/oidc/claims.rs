//! What the claims of a good token say of its bearer. What is not clear is refused: the issuer can say it better.

use serde_json::{Map, Value};

use crate::{
    access::role::{Area, Role, Scope, Scopes},
    error::Error,
};

type All = Map<String, Value>;

/// A claim by its whole name, which may have dots in it (`https://example.org/role`), or else by the names of objects around it.
fn claim<'a>(all: &'a All, path: &str) -> Option<&'a Value> {
    all.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        claim(all.get(first)?.as_object()?, rest)
    })
}

/// The words of a claim that is one word, or a list of words.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(word)) => vec![word],
        _ => Vec::new(),
    }
}

/// The one role of this service that the claim names. Others in it are of other services.
pub(super) fn role(all: &All, path: &str) -> Result<Role, Error> {
    let named = words(claim(all, path));
    let found: Vec<Role> = Role::ALL.into_iter().filter(|role| named.contains(&role.word())).collect();
    match found.as_slice() {
        [role] => Ok(*role),
        [] => Err(Error::Forbidden(format!(
            "the token names no role in the claim `{path}` (MANDATE_OIDC_ROLE_CLAIM); let the issuer put one of {} there",
            Role::ALL.map(Role::word).join(", ")
        ))),
        several => {
            let several: Vec<&str> = several.iter().map(|role| role.word()).collect();
            Err(Error::Forbidden(format!(
                "the token names several roles in the claim `{path}` ({}); let the issuer put one there",
                several.join(", ")
            )))
        }
    }
}

/// The word for the entity of a role that needs one.
pub(super) fn entity<'a>(all: &'a All, path: &str, role: Role) -> Result<&'a str, Error> {
    match words(claim(all, path)).as_slice() {
        [word] if word.len() <= 300 => Ok(word),
        _ => Err(Error::Forbidden(format!(
            "the role {} is that of an entity, and the token does not name one in the claim `{path}` (MANDATE_OIDC_ENTITY_CLAIM)",
            role.word()
        ))),
    }
}

/// The scopes of this service in the claim `scope` (RFC 8693, 4.2: words between spaces). Those of others (`openid`) do not count, but one that
/// only looks like ours is refused: left out, it would leave a token without any scope, which has no limit.
pub(super) fn scopes(all: &All) -> Result<Scopes, Error> {
    let named = words(all.get("scope")).into_iter().flat_map(|words| words.split(' '));
    let ours = |word: &&str| word.split_once(':').is_some_and(|(area, _)| Area::is_word(area));
    let scopes: Result<_, String> = named.filter(ours).map(str::parse::<Scope>).collect();
    scopes.map(Scopes).map_err(|why| Error::Forbidden(format!("the claim `scope` of the token is not right: {why}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(claims: &Value) -> All {
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn a_role_is_found_where_the_setting_says() {
        for (claims, path, found) in [
            (json!({"mandate_role": "viewer"}), "mandate_role", Ok(Role::Viewer)),
            (
                json!({"realm_access": {"roles": ["offline", "auditor", "auditor"]}}),
                "realm_access.roles",
                Ok(Role::Auditor),
            ),
            (json!({"a": {"b.c": "admin"}}), "a.b.c", Ok(Role::Admin)),
            (json!({"https://example.org/role": "admin"}), "https://example.org/role", Ok(Role::Admin)),
            (json!({"r": ["viewer", "editor"]}), "r", Err("several roles in the claim `r` (editor, viewer)")),
            (json!({"r": ["Viewer", 7, null]}), "r", Err("no role in the claim `r`")),
            (json!({"r": "viewer editor"}), "r", Err("no role")),
            (json!({"r": {"viewer": true}}), "r", Err("no role")),
            (json!({"r": "viewer"}), "r.x", Err("no role in the claim `r.x`")),
            (json!({}), "r", Err("no role")),
        ] {
            match (role(&all(&claims), path), found) {
                (Ok(role), Ok(wanted)) => assert_eq!(role, wanted, "{claims}"),
                (Err(Error::Forbidden(why)), Err(words)) => assert!(why.contains(words), "{claims}: {why}"),
                (outcome, _) => panic!("{claims}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn scopes_of_others_do_not_count_and_misspelt_ones_are_refused() {
        let read = |claims: Value| scopes(&all(&claims)).map(|scopes| scopes.words().join(" "));
        assert_eq!(read(json!({})).unwrap(), "");
        assert_eq!(read(json!({"scope": "openid profile urn:x:y api://plans/read"})).unwrap(), "");
        assert_eq!(read(json!({"scope": "openid plan:read money:write"})).unwrap(), "plan:read money:write");
        assert_eq!(read(json!({"scope": ["plan:read"]})).unwrap(), "plan:read");
        for wrong in ["plan:raed", "openid plan:read money:", "access:*"] {
            assert!(matches!(read(json!({"scope": wrong})), Err(Error::Forbidden(_))), "{wrong}");
        }
    }

    #[test]
    fn an_entity_is_one_word() {
        let read = |claims: Value| entity(&all(&claims), "e", Role::Editor).map(str::to_owned).ok();
        assert_eq!(read(json!({"e": "code:MINE"})).as_deref(), Some("code:MINE"));
        assert_eq!(read(json!({"e": ["code:MINE"]})).as_deref(), Some("code:MINE"));
        for wrong in [json!({}), json!({"e": ["a", "b"]}), json!({"e": 1}), json!({"e": "x".repeat(301)})] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }
}
