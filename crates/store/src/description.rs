//! Everything an observation says that is no number, as text: its kind of source, condition and flags.

use pampero_weather::condition::{Condition, Intensity, ReportedCondition};
use pampero_weather::observation::{Observation, Quantity, SourceKind};
use pampero_weather::quality::{Flag, QualityFlags};

/// The words of an observation; an empty text means that the source did not say.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Description {
    /// `station`, `model` or `blend`.
    pub(crate) source_kind: String,
    /// The spelling of the condition.
    pub(crate) condition: String,
    /// The spelling of its intensity.
    pub(crate) intensity: String,
    /// The code as the provider wrote it.
    pub(crate) raw_code: String,
    /// The flags, as in `temperature:suspect,dew_point:derived`.
    pub(crate) flags: String,
}

/// What a [`Description`] means.
pub(crate) struct Meaning {
    pub(crate) source_kind: SourceKind,
    pub(crate) condition: Option<ReportedCondition>,
    pub(crate) flags: QualityFlags,
}

/// A text of a description is in no vocabulary.
#[derive(Debug, thiserror::Error)]
#[error("{part} {text:?} is not known")]
pub(crate) struct UnknownWord {
    part: &'static str,
    text: String,
}

impl Description {
    /// Spells the words of an observation.
    pub(crate) fn of(observation: &Observation) -> Self {
        let reported = observation.condition.as_ref();
        let spelled = |word: Option<&str>| word.unwrap_or_default().to_owned();
        Self {
            source_kind: observation.source_kind.as_str().to_owned(),
            condition: spelled(reported.map(|reported| reported.condition.as_str())),
            intensity: spelled(reported.map(|reported| reported.intensity.as_str())),
            raw_code: spelled(reported.map(|reported| reported.raw_code.as_str())),
            flags: spell_flags(&observation.flags),
        }
    }

    /// Reads the words back.
    ///
    /// # Errors
    /// A word that is in no vocabulary: the row is damaged, or a newer Pampero wrote it.
    pub(crate) fn read(self) -> Result<Meaning, UnknownWord> {
        let source_kind = read_word("source kind", &self.source_kind)?;
        let flags = read_flags(&self.flags)?;
        if self.condition.is_empty() {
            return Ok(Meaning { source_kind, condition: None, flags });
        }
        let condition: Condition = read_word("condition", &self.condition)?;
        let intensity: Intensity = read_word("intensity", &self.intensity)?;
        let reported = ReportedCondition { condition, intensity, raw_code: self.raw_code };
        Ok(Meaning { source_kind, condition: Some(reported), flags })
    }
}

fn spell_flags(flags: &QualityFlags) -> String {
    let spell = |(quantity, flag): (Quantity, Flag)| [quantity.as_str(), flag.as_str()].join(":");
    flags.iter().map(spell).collect::<Vec<_>>().join(",")
}

fn read_flags(text: &str) -> Result<QualityFlags, UnknownWord> {
    let mut flags = QualityFlags::default();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let unknown = || UnknownWord { part: "quality flag", text: pair.to_owned() };
        let (quantity, flag) = pair.split_once(':').ok_or_else(unknown)?;
        flags.set(read_word("quantity", quantity)?, read_word("quality flag", flag)?);
    }
    Ok(flags)
}

fn read_word<T: std::str::FromStr>(part: &'static str, text: &str) -> Result<T, UnknownWord> {
    text.parse().map_err(|_| UnknownWord { part, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_spelled_by_quantity_and_read_back() {
        check(&[], "");
        check(&[(Quantity::DewPoint, Flag::Derived)], "dew_point:derived");
        check(
            &[
                (Quantity::Visibility, Flag::Capped),
                (Quantity::Temperature, Flag::Suspect),
                (Quantity::Temperature, Flag::Rejected),
            ],
            "temperature:rejected,temperature:suspect,visibility:capped",
        );
    }

    #[track_caller]
    fn check(set: &[(Quantity, Flag)], text: &str) {
        let mut flags = QualityFlags::default();
        for (quantity, flag) in set {
            flags.set(*quantity, *flag);
        }
        assert_eq!(spell_flags(&flags), text);
        assert_eq!(read_flags(text).unwrap(), flags);
    }

    #[test]
    fn unknown_words_are_named() {
        let error = read_flags("temperature:glowing").unwrap_err();
        assert_eq!(error.to_string(), r#"quality flag "glowing" is not known"#);
        let error = read_flags("temperature").unwrap_err();
        assert_eq!(error.to_string(), r#"quality flag "temperature" is not known"#);
    }
}
