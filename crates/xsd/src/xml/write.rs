//! Elements as bytes.

use std::borrow::Cow;

use super::{Element, Node, is_allowed};

/// Appends an element, indented by so many steps. An element holds text or elements, as in the standards that are written here.
pub fn write(element: &Element, depth: usize, bytes: &mut Vec<u8>) {
    let (indent, name) = ("  ".repeat(depth), element.name.to_string());
    let mut line = format!("{indent}<{name}");
    for attribute in &element.attributes {
        let value = escaped(&attribute.value).replace('\n', "&#10;").replace('\t', "&#9;");
        line = format!("{line} {}=\"{value}\"", attribute.name);
    }
    let text = element.text();
    if element.content.is_empty() {
        bytes.extend(format!("{line}/>\n").into_bytes());
    } else if element.content.iter().all(|node| matches!(node, Node::Text(..))) {
        bytes.extend(format!("{line}>{}</{name}>\n", escaped(&text)).into_bytes());
    } else {
        bytes.extend(format!("{line}>\n").into_bytes());
        element.children().for_each(|child| write(child, depth + 1, bytes));
        bytes.extend(format!("{indent}</{name}>\n").into_bytes());
    }
}

/// Text as it can stand between tags and quotes. A character that XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let text: Cow<'_, str> = if text.chars().all(is_allowed) {
        text.into()
    } else {
        text.chars().map(|c| if is_allowed(c) { c } else { '\u{fffd}' }).collect()
    };
    // A reader makes a carriage return that stands for itself a new line.
    quick_xml::escape::escape(text).replace('\r', "&#13;")
}
