//! What is read, and what is refused where.

use super::*;

fn refusal(text: &str) -> String {
    refusal_of(text.as_bytes())
}

fn refusal_of(bytes: &[u8]) -> String {
    let read = || {
        let mut reader = Reader::new(bytes)?;
        loop {
            match reader.step()? {
                Step::Open(element) => {
                    reader.rest(element)?;
                }
                Step::End => return Ok(()),
                _ => {}
            }
        }
    };
    let flaw: Flaw = match read() {
        Ok(()) => panic!("was read: {}", String::from_utf8_lossy(bytes)),
        Err(flaw) => flaw,
    };
    format!("{}:{} {}: {}", flaw.place.line, flaw.place.column, flaw.code, flaw.detail)
}

#[test]
fn text_sections_references_and_namespaces_are_read() {
    let root = document(
        "\u{feff}<?xml version='1.0' encoding=\"utf-8\"?>\n<!-- a --><?pi b?><a xmlns:x='urn:x' b=' 1&#9;&lt;\n2 ' x:b=''>t&amp;&#x21;<!-- no --><![CDATA[<c>&]]><x:d xmlns='urn:y'><e/></x:d>\r\n</a>\n<!-- z -->",
    )
    .unwrap();
    assert!(root.name.is("a"));
    assert_eq!(root.attribute("b"), Some(" 1\t< 2 "));
    assert_eq!(root.attributes[1].name.to_string(), "{urn:x}b");
    assert_eq!(root.text(), "t&!<c>&\n");
    let d = root.children().next().unwrap();
    assert_eq!((d.name.to_string(), d.place.line), ("{urn:x}d".into(), 3));
    assert_eq!(d.children().next().unwrap().name.to_string(), "{urn:y}e");
}

#[test]
fn what_is_not_safe_or_no_xml_is_refused_with_its_place() {
    let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;&b;\">]>\n<a>&c;</a>";
    let starts = [
        (laughs, "1:1 not_allowed: a document type (DOCTYPE) is not read"),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "1:1 not_allowed: a document type"),
        ("<a>\n  &c;</a>", "2:3 malformed: the entity `&c;` is not read"),
        ("<a b='&c;'/>", "1:1 malformed: the attribute `b` cannot be read"),
        ("<a>&#0;</a>", "1:4 malformed: a reference cannot be read"),
        ("<a>&#1;</a>", "1:4 malformed: the character U+0001"),
        ("<a b='&#1;'/>", "1:1 malformed: the character U+0001"),
        ("<a>b & c</a>", "1:6 malformed: the file is not well-formed"),
        ("<a>\u{1}</a>", "1:4 malformed: the character U+0001"),
        ("<a>]]></a>", "1:4 malformed: `]]>`"),
        ("<a b='<'/>", "1:1 malformed: `<` in the attribute `b`"),
        ("<a b='1' b='2'/>", "1:1 malformed: the attributes cannot be read"),
        ("<a b=1/>", "1:1 malformed: the attributes cannot be read"),
        ("<a b/>", "1:1 malformed: the attributes cannot be read"),
        ("<a xmlns:x='u' xmlns:y='u' x:b='' y:b=''/>", "1:1 malformed: the attribute `{u}b` stands twice"),
        ("<x:a/>", "1:1 malformed: the prefix `x` is not declared"),
        ("<a xmlns:x=''/>", "1:1 malformed: the prefix `x` cannot stand for"),
        ("<a xmlns:xml='u'/>", "1:1 malformed: the prefix `xml`"),
        ("<1a/>", "1:1 malformed: `1a` is not a name"),
        ("<a:b:c/>", "1:1 malformed: `a:b:c` is not a name"),
        ("<a>\n<b>\n</a>", "3:1 malformed: the file is not well-formed"),
        ("<a/><b/>", "1:5 malformed: a file has one outermost element"),
        ("<a/>x", "1:5 malformed: text stands outside"),
        ("x<a/>", "1:1 malformed: text stands outside"),
        ("<![CDATA[ ]]><a/>", "1:1 malformed: text stands outside"),
        ("<a>\n<b>text", "2:8 malformed: the file breaks off: `b` of line 2"),
        ("<a><!-- ", "1:4 malformed: the file is not well-formed"),
        ("<a b='", "1:1 malformed: the file is not well-formed"),
        ("<a><!-- a -- b --></a>", "1:4 malformed: the file is not well-formed"),
        (" <?xml version='1.0'?><a/>", "1:2 malformed: the XML declaration must be the very first"),
        ("<?xml version='1.1'?><a/>", "1:1 malformed: the file says that it is XML 1.1"),
        ("<?xml version='1.0' encoding='ISO-8859-2'?><a/>", "1:1 malformed: the file says that it is ISO-8859-2"),
        ("", "1:1 malformed: the file is empty"),
        ("{\"a\": 1}", "1:1 malformed: text stands outside"),
        ("<!-- only -->", "1:14 malformed: the file has no element"),
    ];
    for (text, start) in starts {
        let said = refusal(text);
        assert!(said.starts_with(start), "{text}\n{said}\n{start}");
    }
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refusal_of(&utf16).contains("save it as UTF-8"));
    assert!(refusal_of(&[0x1f, 0x8b, 8, 0, 0]).contains("compressed"));
    assert!(refusal_of(b"<a>\xe9t\xe9</a>").contains("not UTF-8"));
}

#[test]
fn what_grows_without_end_is_refused() {
    let deep = format!("{}{}", "<a>".repeat(DEPTH + 1), "</a>".repeat(DEPTH + 1));
    assert!(refusal(&deep).contains("nested deeper"), "{}", refusal(&deep));
    let fits = format!("{}{}", "<a>".repeat(DEPTH), "</a>".repeat(DEPTH));
    let root = document(&fits).unwrap();
    let depth = std::iter::successors(Some(&root), |element| element.children().next()).count();
    assert_eq!(depth, DEPTH);
    let many = (0..=ATTRIBUTES).fold(String::new(), |many, n| format!("{many} a{n}=''"));
    assert!(refusal(&format!("<a{many}/>")).contains("at most 64 attributes"));
    for text in [
        format!("<a b='{}'/>", "x".repeat(PIECE)),
        format!("<a>{}</a>", "x".repeat(PIECE + 1)),
        format!("<a><!--{}--></a>", "x".repeat(PIECE)),
        format!("<a><![CDATA[{}]]></a>", "x".repeat(PIECE)),
        format!("<{}/>", "x".repeat(PIECE)),
        format!("<a b='{}", "x".repeat(3 * PIECE)),
    ] {
        assert!(refusal(&text).contains("at most 1048576 bytes"), "{}", refusal(&text));
    }
    // Names are told with each fault, so they are short.
    assert!(refusal(&format!("<{}/>", "x".repeat(257))).contains("a name may have at most 256 bytes"));
    assert_eq!(document(&format!("<{}/>", "x".repeat(256))).unwrap().name.local.len(), 256);
    let space = |length: usize| format!("<a xmlns:x='{}'/>", "u".repeat(length));
    assert!(refusal(&space(2001)).contains("a namespace may have at most 2000 bytes"));
    assert_eq!(document(&space(2000)).unwrap().declared[0].1.len(), 2000);
    assert!(refusal(&format!("<a>{}</a>", "<b/>".repeat(ELEMENTS + 1))).contains("the element is too large"));
    let large = format!("<a>{}</a>", "<b>x</b>".repeat(3).replace('x', &"x".repeat(PIECE)).repeat(6));
    assert!(refusal(&large).contains("the element is too large"));
}

#[test]
fn every_prefix_of_a_file_is_refused_and_never_a_panic() {
    let whole = "<?xml version='1.0'?><a xmlns:x='u'><x:b c=\"d&lt;\">ț&#65;<![CDATA[e]]></x:b><!--f--></a>";
    assert_eq!(document(whole).unwrap().children().next().unwrap().text(), "țAe");
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        assert!(document(&whole[..end]).is_err(), "{}", &whole[..end]);
    }
    for place in (0..whole.len()).filter(|place| whole.is_char_boundary(*place)) {
        for more in ["<", ">", "&", "\"", "'", "]]>", "<!", "</a>", "\u{0}", "x:"] {
            let _ = document(&format!("{}{more}{}", &whole[..place], &whole[place..]));
        }
    }
}
