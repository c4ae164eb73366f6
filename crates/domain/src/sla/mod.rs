//! Service-level agreements: what is promised (policies), in which minutes (calendars), and how far the
//! promise has been used up (clocks).

mod calendar;
mod clock;
mod ledger;
mod metric;
mod policy;

pub use calendar::Calendar;
pub use clock::{Clock, ClockState, DueStep, Run};
pub use ledger::{Cycle, Happening, Segment, Stretch, What, Why};
pub use metric::Metric;
pub use policy::{
    Offset, Policy, PolicyError, Step, StepAction, StepKey, Target, TargetMinutes, Terms, default_policy,
};
