//! Every published event and every timeline entry, word for word. A changed snapshot is a contract review.

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use techsupport_application::{
    TicketChange,
    ports::UnitOfWorkExt,
    sweep_deadlines,
    tickets::{
        ChangeStatus, EditTicket, OpenTicket, Remark, add_comment, assign_ticket, change_status,
        delete_ticket, edit_ticket, open_ticket, reclassify, restore_ticket,
    },
};
use techsupport_domain::{
    ClientTier, PolicyVersionId, TicketId,
    sla::{Calendar, Metric, Offset, Policy, Step, StepAction, StepKey, Target, TargetMinutes},
    text::{CommentBody, Description, Title},
    ticket::{Priority, Status, Tags, Visibility},
};
use uuid::Uuid;

use crate::commands::{deletion, edit, restoration, saying, to_agent, to_status};
use crate::fakes::{Desk, HOUR};

/// What the last change told: its timeline entries and its published documents.
fn told(desk: &Desk) -> Value {
    let store = desk.store();
    let change = store.recorded.last().unwrap();
    json!({
        "actor": format!("{:?}", change.actor()).split('(').next(),
        "version": change.ticket().version,
        "timeline": timeline(change),
        "steps": change.steps().iter().map(|step| json!({
            "key": [step.metric.name(), step.cycle, step.step.get()],
            "eventId": step.event.to_string(),
        })).collect::<Value>(),
        "published": published(change),
    })
}

fn timeline(change: &TicketChange) -> Value {
    let entry = |entry: &techsupport_application::TimelineEntry| {
        json!({
            "id": entry.id.to_string(),
            "action": entry.action.name(),
            "before": entry.before,
            "after": entry.after,
            "eventId": entry.event.to_string(),
        })
    };
    change.timeline().iter().map(entry).collect()
}

fn published(change: &TicketChange) -> Value {
    change
        .outbox()
        .iter()
        .map(|message| {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            // What the broker routes and deduplicates by is what the document says.
            assert_eq!(body["id"], message.id.to_string());
            assert_eq!(body["type"], message.event_type.name());
            assert_eq!(body["subject"], message.subject.to_string());
            assert_eq!(body["traceparent"], message.traceparent.as_str());
            json!({ "routingKey": message.event_type.routing_key(), "body": body })
        })
        .collect()
}

fn moved(desk: &Desk, ticket: TicketId, to: Status) {
    change_status(desk.ctx(), &to_status(ticket, to)).unwrap();
}

#[test]
fn created() {
    let desk = Desk::new();
    let command = OpenTicket {
        title: Title::parse("The printer is on fire").unwrap(),
        description: Description::parse("Smoke since nine o'clock.").unwrap(),
        client: desk.client(ClientTier::Vip),
        priority: Priority::parse(1).unwrap(),
        tags: Tags::parse(["Printer", "fire"]).unwrap(),
    };
    let ticket = open_ticket(desk.ctx(), &command).unwrap();
    assert_eq!(ticket, desk.stored(ticket.id));
    assert_json_snapshot!(told(&desk));
}

#[test]
fn status_changed() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    moved(&desk, ticket, Status::InProgress);
    assert_json_snapshot!(told(&desk));
}

#[test]
fn escalated_by_hand() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    moved(&desk, ticket, Status::Escalated);
    assert_json_snapshot!(told(&desk));
}

#[test]
fn resolved_and_reopened() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    moved(&desk, ticket, Status::InProgress);
    moved(&desk, ticket, Status::Resolved);
    assert_json_snapshot!("resolved", told(&desk));
    moved(&desk, ticket, Status::InProgress);
    assert_json_snapshot!("reopened", told(&desk));
}

#[test]
fn assigned_and_taken_away() {
    let desk = Desk::new();
    let (ticket, agent) = (desk.ticket(ClientTier::Normal), desk.agent(1, true));
    assign_ticket(desk.ctx(), &to_agent(ticket, Some(agent))).unwrap();
    assert_json_snapshot!("assigned", told(&desk));
    assign_ticket(desk.ctx(), &to_agent(ticket, None)).unwrap();
    assert_json_snapshot!("taken_away", told(&desk));
}

#[test]
fn deleted() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    delete_ticket(desk.ctx(), &deletion(ticket)).unwrap();
    assert_json_snapshot!(told(&desk));
}

#[test]
fn restored() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    delete_ticket(desk.ctx(), &deletion(ticket)).unwrap();
    desk.pass(HOUR);
    restore_ticket(desk.ctx(), &restoration(ticket)).unwrap();
    assert_json_snapshot!(told(&desk));
}

#[test]
fn edited() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let everything = EditTicket {
        title: Some(Title::parse("Smoke").unwrap()),
        description: Some(Description::parse("It is the toaster.").unwrap()),
        priority: Some(Priority::parse(1).unwrap()),
        tags: Some(Tags::parse(["Kitchen", "fire"]).unwrap()),
        ..edit(ticket)
    };
    edit_ticket(desk.ctx(), &everything).unwrap();
    assert_json_snapshot!("edited", told(&desk));
    let tags = EditTicket { tags: Some(Tags::default()), ..edit(ticket) };
    edit_ticket(desk.ctx(), &tags).unwrap();
    assert_json_snapshot!("edited_tags_alone", told(&desk));
    let client = desk.stored(ticket).client;
    let ctx = desk.ctx();
    ctx.work
        .run_for(&ctx.call.budget, |tx| reclassify(ctx, tx, client, ClientTier::Normal, ClientTier::Vip))
        .unwrap();
    assert_json_snapshot!("edited_client_type", told(&desk));
}

#[test]
fn commented() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let remark = |visibility| Remark { body: CommentBody::parse("Which toaster?").unwrap(), visibility };
    let public = saying(ticket, remark(Visibility::Public));
    add_comment(desk.ctx(), &public).unwrap();
    assert_json_snapshot!("commented_in_public", told(&desk));
    // What it says stays in the house.
    let comment = Some(remark(Visibility::Internal));
    change_status(desk.ctx(), &ChangeStatus { comment, ..to_status(ticket, Status::InProgress) }).unwrap();
    assert_json_snapshot!("moved_with_an_internal_comment", told(&desk));
}

#[test]
fn breached_and_escalated() {
    let desk = Desk::new();
    desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 2);
    sweep(&desk);
    assert_json_snapshot!(told(&desk));
}

#[test]
fn breached_and_a_supervisor_told() {
    let desk = Desk::new();
    desk.ticket(ClientTier::Normal);
    desk.pass(HOUR * 24 + time::Duration::seconds(40));
    sweep(&desk);
    assert_json_snapshot!(told(&desk));
}

#[test]
fn warned_and_escalated_further() {
    let desk = Desk::new();
    desk.store().policy = Some(stepped());
    desk.ticket(ClientTier::Normal);
    desk.pass(time::Duration::minutes(45));
    sweep(&desk);
    assert_json_snapshot!("warned_by_percent", told(&desk));
    desk.pass(time::Duration::minutes(10));
    sweep(&desk);
    assert_json_snapshot!("warned_by_minutes", told(&desk));
    desk.pass(HOUR);
    sweep(&desk);
    assert_json_snapshot!("breached_late", told(&desk));
    desk.pass(HOUR);
    sweep(&desk);
    assert_json_snapshot!("escalated_further", told(&desk));
}

fn sweep(desk: &Desk) {
    let report = sweep_deadlines(desk.ctx(), 10, std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(report.claimed, 1);
}

/// One hour to resolve; warnings at 75 percent and ten minutes before, another step an hour after.
pub fn stepped() -> Policy {
    let step = |key, offset, action| Step { key: StepKey::new(key), offset, action };
    let target = Target {
        metric: Metric::Resolution,
        minutes: TargetMinutes::parse(60).unwrap(),
        steps: [
            step(-2, Offset::Percent(75), StepAction::Warn),
            step(-1, Offset::Minutes(-10), StepAction::Warn),
            step(0, Offset::Minutes(0), StepAction::NotifySupervisor),
            step(1, Offset::Minutes(60), StepAction::Escalate),
        ]
        .into(),
    };
    Policy::new(PolicyVersionId::new(Uuid::from_u128(9)), Calendar::AlwaysOpen, vec![target]).unwrap()
}
