//! The dialect of INI that the shared AWS files are written in: sections, `key = value`, and
//! indented `key = value` below a key without a value.

/// One section: its header's text and its settings in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    /// Key, sub-key when indented below it, value.
    pub(super) settings: Vec<(String, Option<String>, String)>,
}

impl Section {
    /// The last value of a plain key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.nested(key, None)
    }

    /// The last value of a key, or of a sub-key below it.
    pub(super) fn nested(&self, key: &str, sub_key: Option<&str>) -> Option<&str> {
        self.settings
            .iter()
            .rev()
            .find(|(k, s, _)| k == key && s.as_deref() == sub_key)
            .map(|(_, _, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// Parses a file. Lines that make no sense are passed over, as the AWS tools' own writers and hand
/// editing leave some behind.
pub(super) fn parse(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut parent: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            sections.push(Section { name, settings: Vec::new() });
            parent = None;
            continue;
        }
        let (Some(section), Some((key, value))) = (sections.last_mut(), trimmed.split_once('='))
        else {
            continue;
        };
        let (key, value) = (key.trim().to_ascii_lowercase(), without_comment(value).to_owned());
        let indented = line.starts_with([' ', '\t']);
        match parent.as_ref().filter(|_| indented) {
            Some(parent) => section.settings.push((parent.clone(), Some(key), value)),
            None => {
                parent = value.is_empty().then(|| key.clone());
                section.settings.push((key, None, value));
            }
        }
    }
    sections
}

/// A comment may follow a value after white space.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    value[..end.unwrap_or(value.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialect() {
        let sections = parse(
            "ignored = yes\n[default]\nregion=eu-west-1 # home\n; no\nKEY = a=b\n\
             [ profile  x ]\nservices = s\nbroken\n[services s]\nkinesis_video =\n  endpoint_url = \
             http://h\n  other=1\nplain = 2\n",
        );
        let names: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["default", "profile x", "services s"]);
        assert_eq!(sections[0].get("region"), Some("eu-west-1"));
        assert_eq!(sections[0].get("key"), Some("a=b"));
        assert_eq!(sections[1].get("services"), Some("s"));
        assert_eq!(sections[2].nested("kinesis_video", Some("endpoint_url")), Some("http://h"));
        assert_eq!(sections[2].get("kinesis_video"), None);
        assert_eq!(sections[2].get("plain"), Some("2"));
        assert_eq!(sections[2].get("endpoint_url"), None);
    }
}
