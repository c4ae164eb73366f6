//! Changing a client.

use techsupport_domain::{
    Client, ClientId, ClientTier,
    text::{Company, Email, PersonName},
};

use crate::{
    AppError, Ctx, Entity,
    ports::{AuditAction, AuditTarget, UnitOfWorkExt},
    tickets::reclassify,
};

/// Change a client; `None` leaves a member as it is.
#[derive(Debug, Clone)]
pub struct ChangeClient {
    /// Which one.
    pub client: ClientId,
    /// The person to talk to.
    pub name: Option<PersonName>,
    /// Unique among clients.
    pub email: Option<Email>,
    /// Which SLA policy applies.
    pub tier: Option<ClientTier>,
    /// The person's organisation.
    pub company: Option<Company>,
}

/// Changes a client. A taken e-mail address is a conflict; what is there already changes nothing.
///
/// Another tier puts the client's unresolved tickets under the policies of that tier, in the same transaction. The
/// client's row stays locked meanwhile, so no ticket is opened under the old tier that would be missed.
pub fn change_client(ctx: Ctx<'_>, command: &ChangeClient) -> Result<Client, AppError> {
    let entry = ctx.entry(AuditAction::ClientChanged, AuditTarget::Client(command.client));
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let before = tx.lock_client(command.client)?.ok_or(AppError::NotFound(Entity::Client))?;
        let after = applied(command, before.clone());
        let members = changed(&before, &after);
        if members.is_empty() {
            return Ok(before);
        }
        tx.update_client(&after)?;
        if before.tier != after.tier {
            reclassify(ctx, tx, after.id, before.tier, after.tier)?;
        }
        tx.audit(&entry.clone().with("members", members))?;
        Ok(after)
    })
}

fn applied(command: &ChangeClient, client: Client) -> Client {
    Client {
        name: command.name.clone().unwrap_or(client.name),
        email: command.email.clone().unwrap_or(client.email),
        tier: command.tier.unwrap_or(client.tier),
        company: command.company.clone().unwrap_or(client.company),
        ..client
    }
}

/// The names of the members that differ; never their values, which are personal data.
fn changed(before: &Client, after: &Client) -> Vec<&'static str> {
    [
        ("name", before.name != after.name),
        ("email", before.email.as_str() != after.email.as_str()),
        ("type", before.tier != after.tier),
        ("company", before.company != after.company),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
