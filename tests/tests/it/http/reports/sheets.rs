//! Reports for spreadsheets.

use techsupport_tests::{Client, Desk};

/// Two live tickets and four imported ones.
fn few(desk: &Desk, admin: &Client) -> String {
    let (vip, agent) = (desk.client_of(admin, "VIP"), desk.agent_of(admin, 2));
    let database = desk.database();
    let live = "INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, agent_id, \
                    escalation_level, created_at, updated_at, resolved_at) \
                VALUES (gen_random_uuid(), nextval('ticket_numbers'), 1, 'Broken', 'It is.', $3, 2, $1, $2, \
                    CASE WHEN $3 = 'ESCALATED' THEN 1 ELSE 0 END, '2024-12-30T12:00Z', now(), \
                    CASE WHEN $3 = 'RESOLVED' THEN timestamptz '2024-12-30T12:30:30Z' END) RETURNING 1";
    for status in ["RESOLVED", "ESCALATED"] {
        database.execute(live, &[&vip, &agent, &status]);
    }
    let clocks = "INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, stopped_at, consumed_us, \
                      due_at, steps_run, breached_at) \
                  SELECT id, 'FIRST_RESPONSE', '01976f00-0000-7000-8000-000000000011', 1, created_at, created_at, 90000000, \
                      created_at, '{}', CASE WHEN status = 'ESCALATED' THEN created_at END FROM tickets";
    database.execute(clocks, &[]);
    database.execute(
        "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, \
             created_at, resolved_at, import_number, sheet_row) VALUES \
         ('t-1', 'c', 'NORMAL', 'CLOSED', 0, '=cmd|''/c calc''!A0', '2024-12-31T23:30Z', '2024-12-31T23:32:30Z', 1, 2), \
         ('t-2', 'c', 'NORMAL', 'WAITING', 3, '@home', '2024-12-31T22:59:59.999999Z', NULL, 1, 3), \
         ('t-3', 'c', 'NORMAL', 'RESOLVED', 0, 'a, \"b\"', '2025-01-06T00:00Z', '2025-01-06T01:00Z', 1, 4)",
        &[],
    );
    agent.to_string()
}

#[test]
fn every_report_can_be_had_as_a_sheet_that_no_spreadsheet_takes_for_formulas() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let agent = few(&desk, &admin);
    let caller = admin.with_header("accept", "text/csv");
    let sheet = |path: &str| {
        let answer = caller.get(&format!("/api/reports/{path}")).expect(200);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        let name = path.split('?').next().unwrap();
        let disposition = format!("attachment; filename=\"{name}.csv\"");
        assert_eq!(answer.header("content-disposition"), Some(disposition.as_str()));
        assert_eq!(answer.header("vary"), Some("accept"));
        // Without the mark a spreadsheet takes the letters of UTF-8 for those of another alphabet.
        answer.body.strip_prefix('\u{feff}').unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
    };
    assert_eq!(
        sheet("avg-resolution"),
        "clientType,avgResolutionMinutes,p50,p90,tickets\r\nNORMAL,31,31,54,2\r\nVIP,31,31,31,1\r\n"
    );
    assert_eq!(sheet("escalated-per-month?timeZone=Europe/Madrid"), "year,month,count\r\n2024,12,2\r\n");
    assert_eq!(
        sheet("top-agents"),
        format!(
            "agentId,name,avgResolution,tickets\r\n'=cmd|'/c calc'!A0,,3,1\r\n{agent},Luis,31,1\r\n\
             \"a, \"\"b\"\"\",,60,1\r\n"
        )
    );
    assert_eq!(
        sheet("weekly-status"),
        "year,week,status,count\r\n2025,1,WAITING,1\r\n2025,1,ESCALATED,1\r\n2025,1,RESOLVED,1\r\n2025,1,CLOSED,1\r\n\
         2025,2,RESOLVED,1\r\n"
    );
    assert_eq!(
        sheet("sla-compliance?pageSize=1"),
        "year,month,clientType,metric,met,breached,compliancePercent,medianMinutes,p90Minutes\r\n\
         2024,12,VIP,FIRST_RESPONSE,1,1,50.0,2,2\r\n"
    );
    assert_eq!(
        sheet("backlog?pageSize=1"),
        "status,clientType,age,tickets\r\nWAITING,NORMAL,FROM_30_DAYS,1\r\nESCALATED,VIP,FROM_30_DAYS,1\r\n"
    );
    assert_eq!(
        sheet("last-processes"),
        "processId,fileName,status,total,processed,failed,error,createdAt,updatedAt\r\n"
    );
    for path in ["avg-resolution", "backlog", "last-processes"] {
        let json = admin.get(&format!("/api/reports/{path}")).expect(200);
        assert_eq!(
            (json.header("content-type"), json.header("vary")),
            (Some("application/json"), Some("accept"))
        );
    }
}
