//! What a caller says of the version that must be there.

use pampero_index::VersionCheck;
use pampero_opensearch::{Exception, ExceptionKind};

use pampero_opensearch::parameters::Parameters;

/// The parameters of optimistic versions, as they were given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VersionParameters<'a> {
    pub(crate) version: Option<u64>,
    pub(crate) version_type: Option<&'a str>,
    pub(crate) if_seq_no: Option<u64>,
    pub(crate) if_primary_term: Option<u64>,
}

impl<'a> VersionParameters<'a> {
    /// Names of the parameters.
    pub(crate) const NAMES: [&'static str; 4] =
        ["version", "version_type", "if_seq_no", "if_primary_term"];

    /// Reads them from the query string.
    ///
    /// # Errors
    /// One of the numbers is none.
    pub(crate) fn read(parameters: &'a Parameters) -> Result<Self, Exception> {
        Ok(Self {
            version: parameters.number("version")?,
            version_type: parameters.text("version_type"),
            if_seq_no: parameters.number("if_seq_no")?,
            if_primary_term: parameters.number("if_primary_term")?,
        })
    }

    /// Returns what has to be checked; `creates` tells that the document must not be there.
    ///
    /// # Errors
    /// They contradict one another, or what is done.
    pub(crate) fn check(self, creates: bool) -> Result<VersionCheck, Exception> {
        let external = match self.version_type {
            None | Some("internal") => None,
            Some("external" | "external_gt") => Some(VersionCheck::External as fn(u64) -> _),
            Some("external_gte") => Some(VersionCheck::ExternalOrEqual as fn(u64) -> _),
            Some(other) => {
                let reason = format!("No version type match [{other}]");
                return Err(Exception::illegal_argument(reason));
            }
        };
        let sequence = self.if_seq_no.is_some() || self.if_primary_term.is_some();
        match (external, self.version) {
            (Some(_), _) if creates => Err(invalid(
                "create operations only support internal versioning. use index instead",
            )),
            (Some(_), _) if sequence => {
                Err(invalid("compare and write operations can not use versioning"))
            }
            (Some(check), Some(version)) => Ok(check(version)),
            (Some(_), None) => {
                Err(invalid("illegal version value [-3] for version type [EXTERNAL]"))
            }
            (None, Some(_)) => Err(invalid(
                "internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead",
            )),
            (None, None) if sequence && creates => {
                Err(invalid("create operations do not support compare and set. use index instead"))
            }
            (None, None) => self.sequence(),
        }
    }

    fn sequence(self) -> Result<VersionCheck, Exception> {
        match (self.if_seq_no, self.if_primary_term) {
            (None, None) => Ok(VersionCheck::None),
            (Some(seq_no), Some(primary_term)) if primary_term > 0 => {
                Ok(VersionCheck::Sequence { seq_no, primary_term })
            }
            (Some(_), _) => Err(invalid("ifSeqNo is set, but primary term is [0]")),
            (None, Some(term)) => {
                Err(invalid(&format!("ifSeqNo is unassigned, but primary term is [{term}]")))
            }
        }
    }
}

fn invalid(what: &str) -> Exception {
    let reason = format!("Validation Failed: 1: {what};");
    Exception::new(ExceptionKind::ActionRequestValidation, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, creates: bool, expected: Option<VersionCheck>) {
        let parameters = Parameters::read("/p", Some(query));
        let read = VersionParameters::read(&parameters).unwrap().check(creates);
        assert_eq!(read.ok(), expected, "{query}");
    }

    #[test]
    fn versions_are_checked_as_they_are_asked_for() {
        let sequence = VersionCheck::Sequence { seq_no: 4, primary_term: 1 };
        check("", false, Some(VersionCheck::None));
        check("", true, Some(VersionCheck::None));
        check("if_seq_no=4&if_primary_term=1", false, Some(sequence));
        check("version=5&version_type=external", false, Some(VersionCheck::External(5)));
        check("version=5&version_type=external_gte", false, Some(VersionCheck::ExternalOrEqual(5)));
    }

    #[test]
    fn versions_that_contradict_themselves_are_refused() {
        check("if_seq_no=4", false, None);
        check("if_primary_term=1", false, None);
        check("if_seq_no=4&if_primary_term=0", false, None);
        check("if_seq_no=4&if_primary_term=1", true, None);
        check("version=5", false, None);
        check("version=5&version_type=force", false, None);
        check("version_type=external", false, None);
        check("version=5&version_type=external", true, None);
        check("version=5&version_type=external&if_seq_no=1&if_primary_term=1", false, None);
    }
}
