//! A small schema, and what it says.

use super::*;
use crate::xml::document;

const SCHEMA: &str = r###"<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema">
  <s:element name="list"><s:complexType>
    <s:sequence>
      <s:element name="head" type="s:string"/>
      <s:choice minOccurs="0" maxOccurs="2"><s:element name="one" type="s:int"/><s:element name="two" type="price"/></s:choice>
      <s:element ref="list" minOccurs="0"/>
      <s:element name="tail" minOccurs="0" maxOccurs="unbounded"><s:complexType/></s:element>
      <s:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </s:sequence>
    <s:attribute name="on" type="s:date" use="required"/>
    <s:attribute name="size"><s:simpleType><s:restriction base="s:string"><s:enumeration value="s"/><s:enumeration value="m"/></s:restriction></s:simpleType></s:attribute>
  </s:complexType></s:element>
  <s:complexType name="price"><s:simpleContent><s:extension base="s:decimal">
    <s:attribute name="currency" type="s:string"/><s:anyAttribute namespace="##other" processContents="lax"/>
  </s:extension></s:simpleContent></s:complexType>
</s:schema>"###;

fn said(text: &str) -> String {
    let flaws = compile(&[SCHEMA]).unwrap().judge(&document(text).unwrap(), "");
    let said: Vec<_> = flaws.iter().map(|flaw| format!("{} {}: {}", flaw.path, flaw.code, flaw.detail)).collect();
    said.join("\n")
}

#[test]
fn what_the_schema_allows_passes() {
    for text in [
        "<list on='2026-01-31'><head/></list>",
        "<list on='2026-01-31' size=' m'><!-- c --><head>x</head><two currency='EUR' xmlns:y='u' y:z=''> 1.5 </two><one>1</one>\n<list on='2026-01-31Z'><head/></list><tail/><tail></tail><x:a xmlns:x='u' b='c'>text<d/></x:a></list>",
        "<list on='2026-01-31' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:noNamespaceSchemaLocation='a.xsd'><head/></list>",
    ] {
        assert_eq!(said(text), "", "{text}");
    }
}

#[test]
fn what_it_does_not_allow_is_named_with_what_it_does() {
    let list = |inner: &str| said(&format!("<list on='2026-01-31'>{inner}</list>"));
    assert_eq!(list(""), "/list required: `head` is missing in `list`");
    assert_eq!(
        list("<tail/>"),
        "/list/tail required: `head` is missing in `list` before `tail`; here may stand: `head`"
    );
    assert_eq!(
        list("<head/><head/>"),
        "/list/head duplicate: `head` may not stand once more in `list`; here may stand after `head`: `one`, `two`, `one`, `two`, `list`, `tail`, an element of another namespace, or its end"
            .replace("`one`, `two`, `one`, `two`", "`one`, `two`")
    );
    assert!(
        list("<head/><one>1</one><two>2</two><one>3</one>")
            .starts_with("/list/one not_allowed: `one` stands in the wrong place")
    );
    assert!(list("<head/><nine/>").starts_with("/list/nine not_allowed: `nine` is no element of `list`"));
    assert_eq!(list("<head/>text"), "/list not_allowed: `list` holds no text of its own; here stands `text`");
    assert_eq!(list("<head><b/></head>"), "/list/head not_allowed: `head` holds only text; `b` cannot stand in it");
    assert_eq!(
        list("<head/><tail><b/></tail>"),
        "/list/tail/b not_allowed: `b` is no element of `tail`; it holds no elements"
    );
    assert_eq!(
        list("<head/><one>x</one>"),
        "/list/one wrong_format: must be a whole number of at most 32 bits; here stands `x`"
    );
    assert!(list("<head/><two curency='EUR'>1</two>").contains("/list/two/@curency not_allowed"));
    assert_eq!(
        said("<list size='l'><head/></list>"),
        "/list/@size wrong_format: must be `s` or `m`; here stands `l`\n/list required: the attribute `on` of `list` is missing; give a day such as 2026-01-31"
    );
    assert!(list("<head/><x:a xmlns:x='u'><list/></x:a>").contains("/list/{u}a/list required: the attribute `on`"));
    let nil = "<list xmlns:i='http://www.w3.org/2001/XMLSchema-instance' on='2026-01-31' i:nil='true'><head/></list>";
    assert!(said(nil).contains("`xsi:nil` is not read"));
    assert_eq!(said("<other/>"), "/other not_allowed: `other` is no element of the standard");
}

#[test]
fn a_schema_with_more_than_is_known_here_is_refused() {
    let with = |old: &str, new: &str| {
        assert!(SCHEMA.contains(old), "{old}");
        compile(&[&SCHEMA.replace(old, new)]).map(|_| ()).unwrap_err()
    };
    assert!(with("s:int", "s:duration").contains("`duration` is not known"));
    assert!(with("##other", "##any").contains("a wildcard"));
    assert!(with("lax", "strict").contains("a wildcard"));
    assert!(with("<s:enumeration value=\"m\"/>", "<s:pattern value=\"m\"/>").contains("`pattern`"));
    assert!(with("<s:complexType/>", "<s:complexType mixed=\"true\"/>").contains("`mixed`"));
    assert!(with("maxOccurs=\"2\"", "maxOccurs=\"200\"").contains("occurrences"));
    assert!(with("name=\"two\"", "name=\"one\"").contains("can be in two places"));
    assert!(with("ref=\"list\"", "ref=\"lost\"").contains("no element `lost`"));
    assert!(with("type=\"price\"", "type=\"cost\"").contains("cost"));
}
