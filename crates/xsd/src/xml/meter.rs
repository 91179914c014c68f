//! `Meter`: counts lines and columns of what is read through it, and ends what grows too long.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use super::PIECE;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A source of bytes that knows where it is.
pub(super) struct Meter<R> {
    inner: R,
    /// Where the next byte is.
    pub(super) place: Place,
    /// Bytes read so far.
    pub(super) total: u64,
    /// Bytes read since the last piece of XML ended.
    pub(super) piece: usize,
}

impl<R> Meter<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, place: Place { line: 1, column: 1 }, total: 0, piece: 0 }
    }
}

impl<R: BufRead> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Meter<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece > PIECE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(bytes) = self.inner.fill_buf() {
            let bytes = &bytes[..amount.min(bytes.len())];
            let mut last = bytes;
            while let Some(end) = last.iter().position(|byte| *byte == b'\n') {
                self.place = Place { line: self.place.line + 1, column: 1 };
                last = &last[end + 1..];
            }
            // A byte that goes on a character of UTF-8 is no character of its own.
            self.place.column += last.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        }
        self.total += amount as u64;
        self.piece += amount;
        self.inner.consume(amount);
    }
}
