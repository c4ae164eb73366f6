//! The domain, held against the design documents: grids as snapshots, a small independent model for random
//! lives of a ticket, and one worked example for each sentence that is easily got wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    unreachable_pub,
    reason = "a test binary exports nothing; pub is what the module offers to the others"
)]

mod build;
mod calendars;
mod deletion;
mod grids;
mod lives;
mod model;
mod policies;
mod reopening;
mod responses;
mod terms;
mod texts;
