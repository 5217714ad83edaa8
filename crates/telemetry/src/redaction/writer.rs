//! A writer between the log and its destination that lets no secret through.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::Redactor;

/// Makes a [`RedactingWriter`] for each log line.
#[derive(Clone, Debug)]
pub struct MakeRedactingWriter<M> {
    redactor: Redactor,
    inner: M,
}

impl<M> MakeRedactingWriter<M> {
    /// Puts `redactor` before the writers that `inner` makes.
    pub fn new(redactor: Redactor, inner: M) -> Self {
        Self { redactor, inner }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for MakeRedactingWriter<M> {
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter::new(self.redactor.clone(), self.inner.make_writer())
    }
}

/// Holds text back until its line is whole, and hands it on without secrets in one write.
///
/// A secret split across two writes is found, because only whole lines leave. The last line leaves
/// when the writer is flushed or dropped, with or without its end.
#[derive(Debug)]
pub struct RedactingWriter<W: Write> {
    redactor: Redactor,
    inner: W,
    held: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    /// Puts `redactor` before `inner`.
    pub fn new(redactor: Redactor, inner: W) -> Self {
        Self { redactor, inner, held: Vec::new() }
    }

    fn let_go(&mut self, length: usize) -> io::Result<()> {
        if length == 0 {
            return Ok(());
        }
        let rest = self.held.split_off(length);
        let lines = std::mem::replace(&mut self.held, rest);
        let text = String::from_utf8_lossy(&lines);
        self.inner.write_all(self.redactor.redact(&text).as_bytes())
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let whole = self.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.let_go(whole)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.let_go(self.held.len())?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        // Nobody is left to hear of a destination that is gone.
        let _ = self.let_go(self.held.len());
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[track_caller]
    fn check(writes: &[&[u8]], before_drop: &str, after_drop: &str) {
        let redactor = Redactor::new([&SecretString::from("s3cr3t-key")]);
        let mut out = Vec::new();
        let mut writer = RedactingWriter::new(redactor, &mut out);
        for bytes in writes {
            writer.write_all(bytes).unwrap();
        }
        let length = writer.inner.len();
        drop(writer);
        let out = String::from_utf8(out).unwrap();
        assert_eq!((&out[..length], &out[length..]), (before_drop, after_drop));
    }

    #[test]
    fn whole_lines_leave_without_secrets() {
        check(&[b"a s3cr3t-key b\nc s3cr3t-key\n"], "a [redacted] b\nc [redacted]\n", "");
    }

    #[test]
    fn secret_split_across_writes_is_found() {
        check(&[b"a s3c", b"r3t", b"-key b", b"\n"], "a [redacted] b\n", "");
        check(&[b"first\na s3c", b"r3t-key"], "first\n", "a [redacted]");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_a_secret() {
        check(&[b"\xff s3cr3t-key \xc3\n"], "\u{fffd} [redacted] \u{fffd}\n", "");
    }

    #[test]
    fn flush_lets_an_unfinished_line_go() {
        let mut out = Vec::new();
        let mut writer = RedactingWriter::new(Redactor::default(), &mut out);
        writer.write_all(b"half").unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.inner.as_slice(), b"half");
    }
}
