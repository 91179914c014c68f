//! `Reader`: a file of XML, step by step.

use std::{
    io::{BufRead, Chain, Cursor, Read as _},
    sync::Arc,
};

use quick_xml::{
    Reader as Parser, XmlVersion,
    errors::Error as Broken,
    events::{BytesDecl, BytesRef, BytesStart, Event, attributes::Attribute as Raw},
};

use super::{
    ATTRIBUTES, Attribute, DEPTH, ELEMENT, ELEMENTS, Element, Flaw, Node, PIECE, Place, meter::Meter, scope::Scope,
};
use crate::words::brief;

/// What stands next in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An element begins; its content follows.
    Open(Element),
    /// Text, and where it begins.
    Text(String, Place),
    /// The element that began last ends.
    Close,
    /// The file ends.
    End,
}

/// A file of XML.
pub struct Reader<R> {
    parser: Parser<Meter<Chain<Cursor<Vec<u8>>, R>>>,
    buffer: Vec<u8>,
    scope: Scope,
    /// The names of the open elements as they are written, and where they began.
    open: Vec<(String, Place)>,
    has_root: bool,
    is_first: bool,
    /// An element without content was opened and is not closed yet.
    closes: bool,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read. What is plainly no UTF-8 is refused at once.
    pub fn new(mut source: R) -> Result<Self, Flaw> {
        let start = Place { line: 1, column: 1 };
        let mut head = Vec::with_capacity(4);
        let read = source.by_ref().take(4).read_to_end(&mut head);
        read.map_err(|error| Flaw::new(start, "malformed", format!("the file cannot be read: {error}")))?;
        let what = match head[..] {
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..] | [b'<', 0, ..] => {
                "the file is UTF-16 or UTF-32; save it as UTF-8"
            }
            [0x1F, 0x8B, ..] | [b'P', b'K', ..] => "the file is compressed; unpack it first",
            [] => "the file is empty",
            _ => "",
        };
        if !what.is_empty() {
            return Err(Flaw::new(start, "malformed", what));
        }
        if head.starts_with(&[0xEF, 0xBB, 0xBF]) {
            head.drain(..3);
        }
        let mut parser = Parser::from_reader(Meter::new(Cursor::new(head).chain(source)));
        parser.config_mut().check_comments = true;
        Ok(Self {
            parser,
            buffer: Vec::new(),
            scope: Scope::default(),
            open: Vec::new(),
            has_root: false,
            is_first: true,
            closes: false,
        })
    }

    /// Where the reader is.
    pub fn place(&self) -> Place {
        self.parser.get_ref().place
    }

    /// What stands next. After a flaw there is no reading on.
    pub fn step(&mut self) -> Result<Step, Flaw> {
        if std::mem::take(&mut self.closes) {
            self.close();
            return Ok(Step::Close);
        }
        loop {
            let place = self.place();
            self.parser.get_mut().piece = 0;
            self.buffer.clear();
            let mut buffer = std::mem::take(&mut self.buffer);
            let step = match self.parser.read_event_into(&mut buffer) {
                Ok(event) if self.parser.get_ref().piece <= PIECE => self.part(event, place),
                Ok(_) => Err(too_long(place)),
                Err(error) => Err(Self::broken(&error, place)),
            };
            self.buffer = buffer;
            self.is_first = false;
            if let Some(step) = step? {
                return Ok(step);
            }
        }
    }

    /// The rest of an element that `step` opened.
    pub fn rest(&mut self, element: Element) -> Result<Element, Flaw> {
        let (start, place, mut count) = (self.parser.get_ref().total, element.place, 0);
        let mut open = vec![element];
        loop {
            let step = self.step()?;
            if self.parser.get_ref().total - start > ELEMENT || count > ELEMENTS {
                let detail = format!("the element is too large: at most {ELEMENT} bytes and {ELEMENTS} elements");
                return Err(Flaw::new(place, "too_large", detail));
            }
            match step {
                Step::Open(element) => {
                    count += 1;
                    open.push(element);
                }
                Step::Text(text, place) => {
                    if let Some(element) = open.last_mut() {
                        element.push_text(&text, place);
                    }
                }
                Step::Close | Step::End => {
                    let Some(element) = open.pop() else {
                        return Err(Flaw::new(place, "malformed", "nothing is open"));
                    };
                    match open.last_mut() {
                        Some(parent) => parent.content.push(Node::Element(element)),
                        None => return Ok(element),
                    }
                }
            }
        }
    }

    fn part(&mut self, event: Event<'_>, place: Place) -> Result<Option<Step>, Flaw> {
        let malformed = |detail: String| Flaw::new(place, "malformed", detail);
        match event {
            Event::Start(tag) => self.element(&tag, place).map(Some),
            Event::Empty(tag) => {
                self.closes = true;
                self.element(&tag, place).map(Some)
            }
            Event::End(_) => {
                self.close();
                Ok(Some(Step::Close))
            }
            Event::Text(words) => self.text(&words.xml10_content(), "]]>", place),
            Event::CData(words) if self.open.is_empty() => self.text(&format!("[{}", &*words), "", place),
            Event::CData(words) => self.text(&words.xml10_content(), "", place),
            Event::GeneralRef(name) => {
                let character = reference(&name).map_err(malformed)?;
                self.text(character.encode_utf8(&mut [0; 4]), "", place)
            }
            Event::DocType(_) => Err(Flaw::new(
                place,
                "not_allowed",
                "a document type (DOCTYPE) is not read; remove it, and replace what it declares",
            )),
            Event::Decl(declaration) if self.is_first => declared(&declaration).map(|()| None).map_err(malformed),
            Event::Decl(_) => Err(malformed("the XML declaration must be the very first of the file".into())),
            Event::PI(words) if words.target().eq_ignore_ascii_case("xml") => {
                Err(malformed("the XML declaration must be the very first of the file".into()))
            }
            Event::PI(_) | Event::Comment(_) => Ok(None),
            Event::Eof => match self.open.last() {
                Some((name, Place { line, .. })) => {
                    Err(malformed(format!("the file breaks off: `{}` of line {line} is not closed", brief(name))))
                }
                None if !self.has_root => Err(malformed("the file has no element".into())),
                None => Ok(Some(Step::End)),
            },
        }
    }

    fn element(&mut self, tag: &BytesStart<'_>, place: Place) -> Result<Step, Flaw> {
        let malformed = |detail: String| Flaw::new(place, "malformed", detail);
        if self.open.is_empty() && std::mem::replace(&mut self.has_root, true) {
            return Err(malformed("a file has one outermost element; here begins another one".into()));
        }
        if self.open.len() == DEPTH {
            return Err(Flaw::new(place, "too_large", format!("elements are nested deeper than {DEPTH}")));
        }
        self.open.push((tag.name().into_inner().to_owned(), place));
        self.scope.open();
        let (mut given, mut declared) = (Vec::new(), Vec::new());
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| malformed(format!("the attributes cannot be read: {error}")))?;
            if given.len() + declared.len() == ATTRIBUTES {
                return Err(Flaw::new(
                    place,
                    "too_large",
                    format!("an element may have at most {ATTRIBUTES} attributes"),
                ));
            }
            let (name, value) = (attribute.key.into_inner().to_owned(), value(&attribute).map_err(malformed)?);
            match name.strip_prefix("xmlns").map(|rest| (rest, rest.strip_prefix(':'))) {
                Some(("", _)) => self.bind("", &value, &mut declared).map_err(malformed)?,
                Some((_, Some(prefix))) => self.bind(prefix, &value, &mut declared).map_err(malformed)?,
                _ => given.push((name, value)),
            }
        }
        let mut attributes: Vec<Attribute> = Vec::with_capacity(given.len());
        for (name, value) in given {
            let name = self.scope.resolve(&name, false).map_err(malformed)?;
            if attributes.iter().any(|other| other.name == name) {
                return Err(malformed(format!("the attribute `{name}` stands twice")));
            }
            attributes.push(Attribute { name, value });
        }
        let name = self.scope.resolve(tag.name().into_inner(), true).map_err(malformed)?;
        Ok(Step::Open(Element { name, attributes, declared, content: Vec::new(), place }))
    }

    fn bind(&mut self, prefix: &str, space: &str, declared: &mut Vec<(String, Arc<str>)>) -> Result<(), String> {
        let space = self.scope.declare(prefix, space)?;
        declared.extend(space.map(|space| (prefix.to_owned(), space)));
        Ok(())
    }

    fn close(&mut self) {
        self.open.pop();
        self.scope.close();
    }

    fn text(&self, text: &str, forbidden: &str, place: Place) -> Result<Option<Step>, Flaw> {
        if let Some(character) = text.chars().find(|character| !is_allowed(*character)) {
            let detail = format!("the character U+{:04X} is not allowed in XML", u32::from(character));
            return Err(Flaw::new(place, "malformed", detail));
        }
        if !forbidden.is_empty() && text.contains(forbidden) {
            return Err(Flaw::new(place, "malformed", format!("`{forbidden}` must be written as `]]&gt;` in text")));
        }
        if !self.open.is_empty() {
            return Ok(Some(Step::Text(text.to_owned(), place)));
        }
        if text.chars().all(is_space) {
            return Ok(None);
        }
        Err(Flaw::new(place, "malformed", "text stands outside of the outermost element"))
    }

    fn broken(error: &Broken, place: Place) -> Flaw {
        match error {
            Broken::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => too_long(place),
            Broken::Io(error) => Flaw::new(place, "malformed", format!("the file cannot be read: {error}")),
            Broken::Encoding(_) => {
                Flaw::new(place, "malformed", "the file is not UTF-8 from here on; save it as UTF-8")
            }
            error => Flaw::new(place, "malformed", format!("the file is not well-formed XML here: {error}")),
        }
    }
}

/// A small document, whole.
pub(crate) fn document(text: &str) -> Result<Element, Flaw> {
    let mut reader = Reader::new(text.as_bytes())?;
    loop {
        if let Step::Open(root) = reader.step()? {
            let root = reader.rest(root)?;
            while reader.step()? != Step::End {}
            return Ok(root);
        }
    }
}

fn too_long(place: Place) -> Flaw {
    Flaw::new(place, "too_large", format!("a tag, a text or a comment may have at most {PIECE} bytes"))
}

/// The declaration may only say what is read here.
fn declared(declaration: &BytesDecl<'_>) -> Result<(), String> {
    let version = declaration.version().map_err(|error| format!("the XML declaration cannot be read: {error}"))?;
    if version != "1.0" {
        return Err(format!("the file says that it is XML {}; only XML 1.0 is read", brief(&version)));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if ["utf-8", "utf8", "us-ascii"].contains(&encoding.to_ascii_lowercase().as_str()) => Ok(()),
        Some(Ok(encoding)) => Err(format!(
            "the file says that it is {}; save it as UTF-8, and say `encoding=\"UTF-8\"`",
            brief(&encoding)
        )),
        Some(Err(error)) => Err(format!("the XML declaration cannot be read: {error}")),
    }
}

fn value(attribute: &Raw<'_>) -> Result<String, String> {
    let name = brief(attribute.key.into_inner());
    if attribute.value.contains('<') {
        return Err(format!("`<` in the attribute `{name}` must be written as `&lt;`"));
    }
    let value = attribute.normalized_value(XmlVersion::Explicit1_0);
    let value = value.map_err(|error| format!("the attribute `{name}` cannot be read: {error}"))?;
    match value.chars().find(|character| !is_allowed(*character)) {
        None => Ok(value.into_owned()),
        Some(c) => Err(format!("the character U+{:04X} in the attribute `{name}` is not allowed in XML", u32::from(c))),
    }
}

fn reference(name: &BytesRef<'_>) -> Result<char, String> {
    let is_known = name.resolve_char_ref().map_err(|error| format!("a reference cannot be read: {error}"))?;
    match (is_known, &**name) {
        (Some(character), _) => Ok(character),
        (None, "lt") => Ok('<'),
        (None, "gt") => Ok('>'),
        (None, "amp") => Ok('&'),
        (None, "quot") => Ok('"'),
        (None, "apos") => Ok('\''),
        (None, name) => {
            Err(format!("the entity `&{};` is not read; write the character itself, or `&amp;` for `&`", brief(name)))
        }
    }
}

/// A character that XML 1.0 allows.
pub(crate) fn is_allowed(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// White space of XML.
pub fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
