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
    pub title: String,
    pub priority: u8,
    pub tags: Vec<String>,
    pub tier: &'static str,
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
            title: "The printer is on fire".to_owned(),
            priority: 2,
            tags: Vec::new(),
            tier: "VIP",
            status: "OPEN",
            level: 0,
            version: 1,
            agent: None,
            resolved: None,
            deleted: None,
            updated: 0,
            clocks: promises.into_iter().map(|promise| ClockModel::start(promise, 0)).collect(),
        }
    }

    /// A person moves the ticket, which is its first response.
    pub fn transition(&mut self, to: &'static str, at: Us) -> Told {
        let moved = self.go(to, at)?;
        self.respond(at);
        Ok(self.changed(at, vec![moved]))
    }

    /// Work on a resolved ticket goes on, as was promised meanwhile, for a client of this tier.
    pub fn reopen(&mut self, tier: &'static str, promises: Vec<Promise>, at: Us) -> Told {
        let mut told = self.transition("IN_PROGRESS", at)?;
        told.extend(self.of_tier(tier));
        self.promise(promises, at);
        Ok(told)
    }

    pub fn rename(&mut self, title: &str, tags: &[&str], at: Us) -> Vec<String> {
        let (old_title, old_tags) = (self.title.clone(), self.tags.clone());
        title.clone_into(&mut self.title);
        self.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let title = replaced(&old_title, &self.title);
        let tags = replaced(&old_tags.join("+"), &self.tags.join("+"));
        if (title.as_str(), tags.as_str()) == ("-", "-") {
            return Vec::new();
        }
        self.changed(at, vec![format!("edited title {title} description - priority - tags {tags} tier -")])
    }

    pub fn prioritise(&mut self, priority: u8, promises: Vec<Promise>, at: Us) -> Vec<String> {
        let before = std::mem::replace(&mut self.priority, priority);
        if before == priority {
            return Vec::new();
        }
        self.promise(promises, at);
        let what = format!("edited title - description - priority {before} > {priority} tags - tier -");
        self.changed(at, vec![what])
    }

    pub fn reclassify(&mut self, tier: &'static str, promises: Vec<Promise>, at: Us) -> Vec<String> {
        let Some(told) = self.of_tier(tier) else { return Vec::new() };
        self.promise(promises, at);
        self.changed(at, vec![told])
    }

    fn of_tier(&mut self, tier: &'static str) -> Option<String> {
        let before = std::mem::replace(&mut self.tier, tier);
        (before != tier)
            .then(|| format!("edited title - description - priority - tags - tier {before} > {tier}"))
    }

    /// A public comment by staff is a response; no comment is a new version.
    pub fn comment(&mut self, visibility: &'static str, at: Us) -> Vec<String> {
        if visibility == "PUBLIC" {
            self.respond(at);
        }
        vec![format!("commented {visibility}")]
    }

    /// The clocks go on, but for the one that waits for the client.
    pub fn restore(&mut self, tier: &'static str, promises: Vec<Promise>, at: Us) -> Vec<String> {
        if self.deleted.take().is_none() {
            return Vec::new();
        }
        let reclassified = self.of_tier(tier);
        let waiting = self.status == "WAITING";
        for clock in self.clocks.iter_mut().filter(|clock| clock.answered.is_none()) {
            if !(waiting && clock.promise.metric == "RESOLUTION") {
                clock.go_on(at);
            }
        }
        self.promise(promises, at);
        self.changed(at, ["restored".to_owned()].into_iter().chain(reclassified).collect())
    }

    /// Promises take the place of those for the same metric; a new one counts from now on, where there is still
    /// something to do.
    fn promise(&mut self, promises: Vec<Promise>, at: Us) {
        for promise in promises {
            let first = promise.metric == "FIRST_RESPONSE";
            if let Some(clock) = self.clocks.iter_mut().find(|clock| clock.promise.metric == promise.metric) {
                clock.promise_instead(promise);
                continue;
            }
            let owed =
                if first { self.status == "OPEN" } else { !matches!(self.status, "RESOLVED" | "CLOSED") };
            if owed {
                let mut clock = ClockModel::start(promise, at);
                if !first && self.status == "WAITING" {
                    clock.halt(at);
                }
                self.clocks.push(clock);
            }
        }
        self.clocks.sort_by_key(|clock| clock.promise.metric);
    }

    fn respond(&mut self, at: Us) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.promise.metric == "FIRST_RESPONSE") {
            clock.answer(at);
        }
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

fn replaced(before: &str, after: &str) -> String {
    if before == after { "-".to_owned() } else { format!("{before} > {after}") }
}
