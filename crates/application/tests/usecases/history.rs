//! The timeline is complete: whoever replays it, starting from nothing, has the ticket.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use techsupport_application::{
    TicketChange, TimelineAction,
    ports::UnitOfWorkExt,
    tickets::{
        ChangeStatus, EditTicket, Remark, add_comment, assign_ticket, change_status, delete_ticket,
        edit_ticket, open_ticket, reclassify, restore_ticket,
    },
    wire_time,
};
use techsupport_domain::{
    AgentId, ClientTier, PolicyVersionId, TicketId,
    sla::default_policy,
    text::{CommentBody, Description, Title},
    ticket::{Priority, Status, Tags, Ticket, Visibility},
};
use uuid::Uuid;

use crate::{
    commands::{deletion, edit, opening, restoration, saying, to_agent, to_status},
    fakes::Desk,
};

#[derive(Debug, Clone)]
enum Act {
    Move(Status, bool),
    Assign(Option<usize>),
    Edit { title: Option<u8>, description: Option<u8>, priority: Option<i64>, tags: Option<u8> },
    Comment(bool),
    Delete,
    Restore,
    Reclassify(ClientTier),
}

fn act() -> impl Strategy<Value = Act> {
    let few = || prop::option::of(0_u8..3);
    prop_oneof![
        6 => (prop::sample::select(Status::ALL.to_vec()), any::<bool>()).prop_map(|(to, say)| Act::Move(to, say)),
        2 => prop::option::of(0_usize..2).prop_map(Act::Assign),
        3 => (few(), few(), prop::option::of(1_i64..=4), few())
            .prop_map(|(title, description, priority, tags)| Act::Edit { title, description, priority, tags }),
        1 => any::<bool>().prop_map(Act::Comment),
        1 => Just(Act::Delete),
        2 => Just(Act::Restore),
        1 => prop::sample::select(ClientTier::ALL.to_vec()).prop_map(Act::Reclassify),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn who_replays_the_timeline_has_the_ticket(
        acts in prop::collection::vec((0_i64..300, act()), 0..40),
    ) {
        let desk = Desk::new();
        let client = desk.client(ClientTier::Vip);
        let urgent = default_policy(PolicyVersionId::new(Uuid::from_u128(11)), ClientTier::Vip);
        desk.store().policies.insert((ClientTier::Normal, Priority::parse(1).unwrap()), urgent);
        let agents = [desk.agent(1, true), desk.agent(3, true)];
        let ticket = open_ticket(desk.ctx(), &opening(client)).unwrap().id;
        for (minutes, act) in acts {
            desk.pass(time::Duration::minutes(minutes));
            obey(&desk, ticket, &agents, &act);
            check(&desk, ticket);
        }
    }
}

fn obey(desk: &Desk, ticket: TicketId, agents: &[AgentId], act: &Act) {
    let remark = |public: &bool| Remark {
        body: CommentBody::parse("So.").unwrap(),
        visibility: if *public { Visibility::Public } else { Visibility::Internal },
    };
    let ctx = desk.ctx();
    // Refusals are fine: they leave no trace, or only that of a breach.
    let done = match act {
        Act::Move(to, say) => change_status(
            ctx,
            &ChangeStatus { comment: say.then(|| remark(&false)), ..to_status(ticket, *to) },
        )
        .map(drop),
        Act::Assign(who) => assign_ticket(ctx, &to_agent(ticket, who.map(|who| agents[who]))).map(drop),
        Act::Edit { title, description, priority, tags } => {
            let edited = EditTicket {
                title: title.map(|n| Title::parse(format!("Title {n}")).unwrap()),
                description: description.map(|n| Description::parse(format!("Description {n}")).unwrap()),
                priority: priority.map(|n| Priority::parse(n).unwrap()),
                tags: tags.map(|n| Tags::parse(["a", "b", "c"].into_iter().take(usize::from(n))).unwrap()),
                ..edit(ticket)
            };
            edit_ticket(ctx, &edited).map(drop)
        }
        Act::Comment(public) => add_comment(ctx, &saying(ticket, remark(public))).map(drop),
        Act::Delete => delete_ticket(ctx, &deletion(ticket)),
        Act::Restore => restore_ticket(ctx, &restoration(ticket)).map(drop),
        Act::Reclassify(tier) => {
            let client = desk.stored(ticket).client;
            let before = std::mem::replace(&mut desk.store().clients.get_mut(&client).unwrap().tier, *tier);
            ctx.work.run_for(&ctx.call.budget, |tx| reclassify(ctx, tx, client, before, *tier))
        }
    };
    assert!(done.as_ref().err().is_none_or(|error| !error.is_transient()), "{done:?}");
}

fn check(desk: &Desk, id: TicketId) {
    let ticket = desk.stored(id);
    let mut told = Map::new();
    let mut version = 0;
    for change in &desk.store().recorded {
        version = change.ticket().version;
        for entry in change.timeline() {
            match entry.action {
                TimelineAction::Created
                | TimelineAction::Edited
                | TimelineAction::StatusChanged
                | TimelineAction::Assigned
                | TimelineAction::Deleted
                | TimelineAction::Restored => replay(&mut told, &entry.before, &entry.after),
                TimelineAction::Commented
                | TimelineAction::SlaWarned
                | TimelineAction::SlaBreached
                | TimelineAction::SlaEscalated => {}
            }
        }
    }
    assert_eq!(version, ticket.version);
    // The client's, not the ticket's: entries tell of it where it moves deadlines, so while the ticket is worked on.
    let kind = told.remove("clientType").unwrap();
    if !ticket.status.is_answered() && ticket.deleted_at.is_none() {
        assert_eq!(kind, desk.store().clients[&ticket.client].tier.name());
    }
    assert_eq!(Value::from(told), expected(&ticket, &desk.store().recorded));
}

/// Each entry begins where the one before ended, and names only what it changes.
fn replay(told: &mut Map<String, Value>, before: &Value, after: &Value) {
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    let absent = |member: &str| if member == "deleted" { json!(false) } else { Value::Null };
    for (member, was) in before {
        assert_eq!(told.get(member).cloned().unwrap_or_else(|| absent(member)), *was, "{member}");
        // From ESCALATED to ESCALATED is a step of the path.
        assert!(after[member] != *was || member == "status", "{member} is named and has not changed");
    }
    told.extend(after.clone());
}

fn expected(ticket: &Ticket, recorded: &[TicketChange]) -> Value {
    let mut all = json!({
        "number": ticket.number.to_string(),
        "title": ticket.title.as_str(),
        "description": ticket.description.as_str(),
        "status": ticket.status.name(),
        "priority": ticket.priority.get(),
        "tags": ticket.tags.iter().collect::<Vec<_>>(),
        "clientId": ticket.client.to_string(),
        "agentId": ticket.agent.map(|agent| agent.to_string()),
        "escalationLevel": ticket.level.get(),
    });
    // Members that a ticket has from the first time on that something happens to them.
    let ever = |member: &str| {
        recorded.iter().flat_map(TicketChange::timeline).any(|entry| entry.after.get(member).is_some())
    };
    if ever("resolvedAt") {
        all["resolvedAt"] = json!(ticket.resolved_at.map(wire_time::format));
    }
    if ever("deleted") {
        all["deleted"] = json!(ticket.deleted_at.is_some());
    }
    all
}
