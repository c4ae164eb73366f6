//! What a file may cost.

use std::ffi::OsString;

/// Bounds of a parser. They travel to it as arguments of its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParserLimits {
    /// Address space, in MiB.
    pub memory_mib: u64,
    /// Processor time, in seconds.
    pub cpu_s: u64,
    /// What an archive may say that it unpacks to, in MiB.
    pub unpacked_mib: u64,
    /// Parts of an archive.
    pub parts: u64,
    /// Rows below the header.
    pub rows: u32,
    /// The last column that may hold something, counted from 1.
    pub columns: u32,
}

impl ParserLimits {
    /// As arguments.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = OsString> {
        let Self { memory_mib, cpu_s, unpacked_mib, parts, rows, columns } = *self;
        [memory_mib, cpu_s, unpacked_mib, parts, u64::from(rows), u64::from(columns)]
            .into_iter()
            .map(|number| number.to_string().into())
    }

    /// From those arguments. `None` when they are others.
    pub(crate) fn parse(arguments: &mut impl Iterator<Item = String>) -> Option<Self> {
        let mut number = || arguments.next()?.parse::<u64>().ok();
        Some(Self {
            memory_mib: number()?,
            cpu_s: number()?,
            unpacked_mib: number()?,
            parts: number()?,
            rows: u32::try_from(number()?).ok()?,
            columns: u32::try_from(number()?).ok()?,
        })
    }
}
