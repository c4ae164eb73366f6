//! A ticket as the documents describe it.

use super::{ClockModel, Promise, Us, allowed};

/// An agent as far as assigning goes.
#[derive(Debug, Clone, Copy)]
pub struct AgentModel {
    pub id: u128,
    pub level: u8,
    pub active: bool,
}

#[derive(Debug, Clone)]
pub struct TicketModel {
    pub status: &'static str,
    pub level: u8,
    pub version: i64,
    pub agent: Option<u128>,
    pub resolved: Option<Us>,
    pub deleted: Option<Us>,
    pub updated: Us,
    pub clocks: Vec<ClockModel>,
}

/// What happened, one line each, or why nothing did.
type Told = Result<Vec<String>, String>;

impl TicketModel {
    pub fn open(promises: Vec<Promise>) -> Self {
        Self {
            status: "OPEN",
            level: 0,
            version: 1,
            agent: None,
            resolved: None,
            deleted: None,
            updated: 0,
            clocks: promises.into_iter().map(ClockModel::start).collect(),
        }
    }

    /// A person moves the ticket, which is its first response.
    pub fn transition(&mut self, to: &'static str, at: Us) -> Told {
        let moved = self.go(to, at)?;
        for clock in self.clocks.iter_mut().filter(|clock| clock.promise.metric == "FIRST_RESPONSE") {
            clock.answer(at);
        }
        Ok(self.changed(at, vec![moved]))
    }

    pub fn assign(&mut self, agent: Option<AgentModel>, at: Us) -> Told {
        if matches!(self.status, "RESOLVED" | "CLOSED") {
            return Err(format!("not assignable: {}", self.status));
        }
        if let Some(agent) = agent {
            if !agent.active {
                return Err("inactive".to_owned());
            }
            if self.status == "ESCALATED" && agent.level < 2 {
                return Err("level too low".to_owned());
            }
        }
        let (before, after) = (self.agent, agent.map(|agent| agent.id));
        if before == after {
            return Ok(Vec::new());
        }
        self.agent = after;
        Ok(self.changed(at, vec![format!("assigned {before:?} > {after:?}")]))
    }

    /// While deleted, clocks stand still.
    pub fn delete(&mut self, at: Us) -> Vec<String> {
        self.deleted = Some(at);
        self.clocks.iter_mut().for_each(|clock| clock.halt(at));
        self.changed(at, vec!["deleted".to_owned()])
    }

    /// Time passes by itself: the steps that are due, in the order in which they fell due.
    pub fn sweep(&mut self, at: Us) -> Vec<String> {
        let mut due = Vec::new();
        for (index, clock) in self.clocks.iter().enumerate() {
            let late = clock.to_come().into_iter().filter(|(when, _)| *when <= at);
            due.extend(late.enumerate().map(|(order, (when, step))| (when, index, order, step)));
        }
        due.sort_by_key(|(when, index, order, _)| (*when, *index, *order));
        let mut told = Vec::new();
        for (when, index, _, step) in due {
            let clock = &mut self.clocks[index];
            clock.run(step.key);
            let (metric, deadline, counted) = (clock.promise.metric, clock.deadline(), clock.counted(at));
            let what = format!(
                "{metric} cycle {} step {} due {when} deadline {deadline} counted {counted}",
                clock.cycle, step.key
            );
            if step.action == "WARN" {
                told.push(format!("warned: {what}"));
                continue;
            }
            let level = self.level;
            let moved = (step.action == "ESCALATE").then(|| self.go("ESCALATED", at).ok()).flatten();
            told.push(format!(
                "breached: {what} escalated {} supervisor {} level {level} > {}",
                moved.is_some(),
                moved.is_none(),
                self.level
            ));
            told.extend(moved);
        }
        if told.is_empty() { told } else { self.changed(at, told) }
    }

    fn go(&mut self, to: &'static str, at: Us) -> Result<String, String> {
        let (from, level, resolved) = (self.status, self.level, self.resolved);
        let may = allowed(from, level);
        if !may.contains(&to) {
            return Err(format!("illegal: {from} > {to}, allowed {may:?}"));
        }
        self.status = to;
        self.level += u8::from(to == "ESCALATED");
        self.resolved = match to {
            "RESOLVED" => Some(at),
            "CLOSED" => resolved,
            _ => None,
        };
        for clock in self.clocks.iter_mut().filter(|clock| clock.promise.metric == "RESOLUTION") {
            match to {
                "WAITING" => clock.halt(at),
                "RESOLVED" | "CLOSED" => clock.answer(at),
                _ if from == "RESOLVED" => clock.reopen(at),
                _ => clock.go_on(at),
            }
        }
        Ok(format!(
            "moved {from} > {to} level {level} > {} resolved {resolved:?} > {:?}",
            self.level, self.resolved
        ))
    }

    fn changed(&mut self, at: Us, told: Vec<String>) -> Vec<String> {
        self.version += 1;
        self.updated = at;
        told
    }
}
